"""Channel `push`: whom it reaches, and what it is made of."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.core.clock import Clock
from gateway.core.finding import Finding
from gateway.core.reason import Reason
from gateway.events import append_each
from gateway.notify.channels.channel import Abilities, Channel, ChannelKind, Reachable, Refused
from gateway.notify.model import Address
from gateway.store import Connection, load_queries

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.notify.links import Links

queries = load_queries("gateway.notify.channels.push")


class Push(ChannelKind):
    """Messages to the phones that a person registered."""

    name = "push"
    # Firebase refuses a message of more than 4,096 bytes; the rest of it has room beside this text.
    abilities = Abilities(confirms=False, replaces=True, rich_text=False, length=700)
    default_place = 1
    has_devices = True

    def is_set_up(self, settings: "Settings") -> bool:
        """Whether there is a service account."""
        return settings.fcm_credentials is not None

    def check(self, settings: "Settings", clock: Clock) -> Finding:  # noqa: ARG002 - asks nobody
        """Returns the finding on the service account's file; Firebase itself is not asked."""
        from gateway.notify.channels.push.check import probe_push  # noqa: PLC0415 - firebase-admin takes half a second

        return probe_push(settings.fcm_credentials)

    def reachable(self, tx: Connection, person_ids: Collection[int]) -> dict[int, Reachable]:
        """Returns the phones of each person."""
        phones: dict[int, list[Address]] = {person_id: [] for person_id in person_ids}
        for row in tx.execute(queries.phones, {"person_ids": list(person_ids)}):
            phones[row["person_id"]].append(Address(row["value"], row["kind"], row["id"]))
        return {
            person_id: Reachable(tuple(each), tuple(each), Reason() if each else Reason.of("no-phone"))
            for person_id, each in phones.items()
        }

    def retire(self, tx: Connection, refused: Collection[Refused], now: datetime) -> None:
        """Send nothing to phones any more."""
        parameters = {
            "ids": [each.address.key for each in refused],
            "reasons": [each.reason for each in refused],
            "now": now,
        }
        retired = tx.execute(queries.retire, parameters).fetchall()
        append_each(
            tx, "phone.retired", [(None, row["person_id"], {"reason": Reason(row["reason"]).data}) for row in retired]
        )

    def make(self, settings: "Settings", links: "Links", clock: Clock) -> Channel:
        """Returns the sender of notices."""
        from gateway.notify.channels.push.sender import FcmChannel  # noqa: PLC0415 - firebase-admin takes half a second

        assert settings.fcm_credentials is not None  # noqa: S101 - it is set up
        timeout_s = settings.send_timeout.total_seconds()
        return FcmChannel(settings.fcm_credentials, settings.fcm_url, timeout_s, links, clock)
