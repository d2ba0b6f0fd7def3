"""What every channel is to the rest of the gateway: what it can do, whom it reaches, and what sends on it."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from gateway.core.clock import Clock
from gateway.core.finding import Finding
from gateway.core.reason import Reason
from gateway.notify.model import Address, Answer, Delivery
from gateway.store import Connection, Row

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.notify.links import Links


_NONE = Reason()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the channel can do with a message."""

    confirms: bool
    """Whether its provider says that a message arrived, not only that it took it."""
    replaces: bool
    """Whether a message that is sent again takes the place of the earlier one."""
    rich_text: bool
    """Whether a message may have headings, links and colours."""
    length: int | None
    """The most characters of a message's text; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person's addresses on a channel."""

    usual: tuple[Address, ...]
    safety: tuple[Address, ...]
    """Where notices about safety go: also where others were stopped."""
    refused: Reason = _NONE
    """Why there is no usual address."""


class Channel(Protocol):
    """Sends one message to one address and says honestly what came of it; raises nothing for a provider's fault."""

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        """Send once; retries belong to the outbox."""

    async def close(self) -> None:
        """Give connections back; called on the loop that sent."""


class LetterChannel(Protocol):
    """Sends service letters: codes and invitations."""

    async def send(self, letter: Row) -> Answer:
        """Send once."""

    async def close(self) -> None:
        """Give connections back; called on the loop that sent."""


class ChannelKind(ABC):
    """One kind of channel. It is light to import: what sends is imported when it is made."""

    name: str
    """In the database, in the API and in links."""
    abilities: Abilities
    default_place: int
    """Its place in the order in which people are told before anything is known of them; the lowest is first."""
    is_sign_in: bool = False
    """Whether people sign in with its address, so that a sign-in shows that they look there."""
    has_devices: bool = False
    """Whether people register devices for it, which shows the same."""

    @abstractmethod
    def is_set_up(self, settings: "Settings") -> bool:
        """Whether this installation has it."""

    @abstractmethod
    def check(self, settings: "Settings", clock: Clock) -> Finding:
        """Returns the finding of `gateway check`; nothing is sent."""

    @abstractmethod
    def reachable(self, tx: Connection, person_ids: Collection[int]) -> dict[int, Reachable]:
        """Returns the addresses of people on this channel, in one statement."""

    @abstractmethod
    def retire(self, tx: Connection, refused: Collection["Refused"], now: datetime) -> None:
        """Send no more to addresses that do not exist any more, and write an event for each."""

    @abstractmethod
    def make(self, settings: "Settings", links: "Links", clock: Clock) -> Channel:
        """Returns what sends, on the running event loop."""


class LetterCarrier(ABC):
    """What a kind of channel is besides when service letters go out on it: codes and invitations."""

    @abstractmethod
    def letters(self, settings: "Settings", links: "Links", clock: Clock) -> LetterChannel:
        """Returns what sends service letters, on the running event loop."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An address that a provider refused for good."""

    person_id: int
    address: Address
    reason: Reason
