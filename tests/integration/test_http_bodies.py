"""Bodies are refused while they come in: memory, parsing and answers do not grow with what a stranger sends."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.api.bodies import COMMAS_MAX, KEYS_MAX, BodyLimits
from gateway.api.problems import PROBLEMS_MAX
from gateway.config import Settings
from tests.dsl.roles import Roles, running_roles
from tests.dsl.wait import until
from tests.dsl.web import Dialer, read_until_closed

MB = 1_000_000
JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"
DRAFT = {"product": "pump", "audience": {"by": "serials", "serials": []}, "content": {}, "supersedes": None}


@pytest.fixture
def api(url, tmp_path) -> Iterator[Roles]:
    """The api role, as a process of its own."""
    with running_roles(url, 1, tmp_path, "api", http_request_wait="1s") as roles:
        until(lambda: health(roles) == 200, what="api answers")
        yield roles


def health(roles: Roles) -> int | None:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", roles.http_port, timeout=10)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
    except ConnectionError:
        return None


def send(roles: Roles, chunks: Iterator[bytes], length: int | None) -> tuple[int, dict]:
    """Post a body that never was in one piece; without a length in chunks."""
    with closing(http.client.HTTPConnection("127.0.0.1", roles.http_port, timeout=30)) as connection:
        headers = JSON | ({"Content-Length": str(length)} if length else {"Transfer-Encoding": "chunked"})
        connection.putrequest("POST", "/api/sign-in")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for chunk in chunks:
                connection.send(chunk if length else b"%x\r\n%s\r\n" % (len(chunk), chunk))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer came before the end of what we send
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == PROBLEM
        return answer.status, json.load(answer)


def test_a_body_of_200_mb_is_refused_as_it_comes_in_and_health_is_told_meanwhile(api):
    before = api.peak_mb("api")
    half = Dialer(api.http_port).dial(b"POST /api/sign-in HTTP/1.1\r\nHost: x")
    refused: list[tuple[int, dict]] = []

    def attack(length: int | None) -> None:
        refused.append(send(api, (b"x" * MB for _ in range(200)), length))

    threads = [threading.Thread(target=attack, args=[length]) for length in (200 * MB, None, None)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert health(api) == 200
    assert [(status, problem["code"]) for status, problem in refused] == [(413, "body_too_large")] * 3
    assert "65,536 bytes" in refused[0][1]["detail"]
    assert api.peak_mb("api") - before < 30
    with half:
        assert read_until_closed(half) == b"", "the role watches its connections, too"


class TestRoutes:
    def post(self, browser, path, content, **headers):
        return browser.client.post(path, content=content, headers=JSON | {"Sec-Fetch-Site": "same-origin"} | headers)

    def test_a_draft_with_a_long_list_is_taken_from_who_may_write_one(self, world):
        """Who that is is asked before the rest is read: nobody makes us hold so much for nothing."""
        body = json.dumps(DRAFT | {"audience": {"by": "serials", "serials": [f"P{n:014}" for n in range(20_000)]}})
        writer = world.as_("product_manager")
        assert self.post(writer, "/api/campaigns", body).json()["code"] == "bad_input", (
            "it was read: `content` is wrong"
        )
        for browser, status in ((world.browser(), 401), (world.as_("customer"), 403), (world.as_("support"), 403)):
            answer = self.post(browser, "/api/campaigns", body)
            assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
        assert self.post(writer, "/api/campaigns", body + " " * 4 * MB).status_code == 413
        assert self.post(writer, "/api/staff/invitations", body).status_code == 413, "no other route takes so much"

    def test_a_form_is_bounded_too(self, world):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert self.post(world.browser(), "/u/token", b"x" * 70_000, **form).status_code == 413
        assert self.post(world.browser(), "/u/token", b"List-Unsubscribe=One-Click", **form).status_code == 404

    def test_many_names_are_refused_before_they_are_parsed(self, world):
        body = json.dumps({f"k{n}": 1 for n in range(KEYS_MAX + 1)})
        answer = self.post(world.browser(), "/api/sign-in", body)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        values = json.dumps(DRAFT | {"audience": [1] * (COMMAS_MAX + 1)})
        assert self.post(world.as_("product_manager"), "/api/campaigns", values).status_code == 413

    def test_the_answer_to_refused_input_is_short_however_much_is_wrong(self, world):
        body = json.dumps({"x" * 10_000: 1} | {f"k{n}": 1 for n in range(1_500)})
        answer = self.post(world.browser(), "/api/sign-in", body)
        problems = answer.json()["problems"]
        assert answer.status_code == 422
        assert len(problems) == PROBLEMS_MAX + 1
        assert problems[-1] == "and 1,483 more"  # email and password are missing, too
        assert len(answer.content) < 5_000

    @pytest.mark.parametrize("body", ["[" * 60_000, '{"email":' * 1_900, '{"email":[' * 1_900 + "1" + "]}" * 1_900])
    def test_nesting_without_end_is_refused(self, world, body):
        answer = self.post(world.browser(), "/api/sign-in", body)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == PROBLEM


class TestTogether:
    """Bodies that are held at one moment, seen at the middleware itself."""

    settings = Settings(http_bodies_max_bytes=65_536 * 4, http_draft_max_bytes=1_024)

    def limits(self, gate: asyncio.Event) -> BodyLimits:
        async def app(scope, receive, send):
            await gate.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.Event().wait()  # a stream

        return BodyLimits(app, self.settings)

    async def ask(self, limits: BodyLimits, address: str, size: int = 60_000) -> tuple[int, dict[bytes, bytes]]:
        """Status and headers of the answer, as soon as it begins."""
        answer = asyncio.get_running_loop().create_future()
        headers = [(b"content-length", str(size).encode())] if size else []
        scope = {"type": "http", "method": "POST", "path": "/api/sign-in", "headers": headers, "client": (address, 1)}

        async def receive():
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.set_result((message["status"], dict(message["headers"])))

        self.tasks.append(asyncio.create_task(limits(scope, receive, send)))
        return await answer

    def test_only_so_many_bytes_are_held_and_a_network_has_its_share(self):
        async def play() -> None:
            self.tasks = []
            gate = asyncio.Event()
            limits = self.limits(gate)
            held = [asyncio.create_task(self.ask(limits, f"192.0.2.{n}")) for n in range(4)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            status, headers = await self.ask(limits, "192.0.2.1")
            assert (status, headers[b"retry-after"]) == (503, b"2"), "its network holds its share"
            assert (await self.ask(limits, "192.0.2.9"))[0] == 503, "all of it is held"
            gate.set()
            assert [(await each)[0] for each in held] == [200] * 4
            assert (await self.ask(limits, "192.0.2.1"))[0] == 200, "an answer that has begun holds nothing"
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            assert not limits.held

        asyncio.run(play())
