"""A channel that the gateway does not have: text messages to the phone number that the maker's file names."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.finding import Finding, ok
from gateway.core.reason import Reason
from gateway.notify.channels.channel import Abilities, ChannelKind, Reachable, Refused
from gateway.notify.links import Links, OpenLink
from gateway.notify.model import Address, Answer, Delivered, Delivery, Failed, Unknown
from gateway.store import Connection

WORDS = """
channel-sms = text message
channel-sms-missing = we have no phone number
"""


class Sms(ChannelKind):
    name = "sms"
    abilities = Abilities(confirms=True, replaces=False, rich_text=False, length=20)
    default_place = 3

    def __init__(self, url: str) -> None:
        self._url = url
        self.retired: list[Refused] = []

    def is_set_up(self, settings: Settings) -> bool:
        return True

    def check(self, settings: Settings, clock: Clock) -> Finding:
        return ok("sms", "a carrier takes text messages")

    def reachable(self, tx: Connection, person_ids: Collection[int]) -> dict[int, Reachable]:
        rows = tx.execute("SELECT id, phone FROM person WHERE id = ANY (%s)", [list(person_ids)])
        return {row["id"]: self._reachable(row["phone"]) for row in rows}

    def _reachable(self, phone: str | None) -> Reachable:
        addresses = (Address(phone),) if phone else ()
        return Reachable(addresses, addresses, Reason("" if phone else "there is no phone number"))

    def retire(self, tx: Connection, refused: Collection[Refused], now: datetime) -> None:
        self.retired += refused

    def make(self, settings: Settings, links: Links, clock: Clock) -> "SmsChannel":
        return SmsChannel(self._url, links)


class SmsChannel:
    def __init__(self, url: str, links: Links) -> None:
        self._client = httpx.AsyncClient(base_url=url)
        self._links = links

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        link = self._links.open(OpenLink(delivery.notice, delivery.channel))
        text = f"{delivery.text['body']} {link}"
        try:
            answer = await self._client.post("/", params={"to": address.value}, content=text)
        except httpx.HTTPError as error:
            return Unknown(Reason(f"the carrier did not answer ({type(error).__name__})"))
        if answer.status_code == 404:
            return Failed(Reason("there is no such number"), retire_address=True)
        return Delivered(Reason("it arrived"), answer.text)

    async def close(self) -> None:
        await self._client.aclose()


@contextmanager
def carrier(unknown: Collection[str] = ()) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A carrier's server, which does not know some numbers; yields its URL and what it took, as (number, text)."""
    taken: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            number = httpx.QueryParams(self.path.partition("?")[2])["to"]
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if number in unknown:
                return self.send_error(404)
            taken.append((number, text))
            reply = f"sms-{len(taken)}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)
            return None

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
