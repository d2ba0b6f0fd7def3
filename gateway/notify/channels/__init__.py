"""The networks a notice can go out on, each behind one small interface."""

from typing import Protocol

from gateway.notify.model import Address, Answer, Delivery


class Channel(Protocol):
    """Sends one message to one address and says honestly what came of it; raises nothing for a provider's fault."""

    name: str

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        """Send once; retries belong to the outbox."""

    async def close(self) -> None:
        """Give connections back; called on the loop that sent."""
