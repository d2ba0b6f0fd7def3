"""A real machine's recording, replayed: every reading is accounted for, and its owner is told once of what was found.

What is to be found is computed by tests/oracle/machine.py. docs/real-data.md says why the rules are what they are.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from gateway.demo.visitor import Visitor
from gateway.imports.service import apply_rules, import_files
from tests.dsl.people import PASSWORD
from tests.dsl.roles import running_roles
from tests.dsl.smtp import mail_server, text_of
from tests.dsl.wait import until
from tests.oracle import machine

SIM = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]
OWNER = "ada@example.org"
OLD = {"history_max": "6000d", "historic_after": "6000d"}
"""The recording is of 2013 and 2014, and is told all the same."""
EACH = {"merge_window": "0s"}
"""Weeks pass in seconds here, so alarms that are days apart would be told as one."""


@pytest.fixture(scope="module")
def rows():
    return machine.readings()


@pytest.fixture
def mail():
    with mail_server() as server:
        yield server


def register(url, folder):
    """The maker's files: product, unit, owner, rules."""
    (folder / "units.csv").write_text("product,serial,firmware\nmt-1,NAB-1,1.0\n")
    (folder / "owners.csv").write_text(f"person,email,unit,since\nAda,{OWNER},mt-1/NAB-1,2013-01-01T00:00:00Z\n")
    import_files(url, "products", [machine.FOLDER / "product.yaml"], actor="test")
    import_files(url, "units", [folder / "units.csv"], actor="test")
    import_files(url, "owners", [folder / "owners.csv"], actor="test")
    apply_rules(url, [machine.FOLDER / "rules.yaml"], actor="test")


def sign_up(roles, mail):
    """Somebody who told the code that was mailed to the owner's address."""
    ada = Visitor(f"http://127.0.0.1:{roles.http_port}")
    ada.post("/api/sign-up", {"email": OWNER, "name": "Ada", "password": PASSWORD})
    until(lambda: mail.mails)
    (letter,) = mail.mails
    ada.post("/api/confirm", {"email": OWNER, "code": re.search(r"\d{4} ?\d{4}", text_of(letter))[0]})
    mail.mails.clear()
    return ada


def pieces(rows, ends):
    """The file's own lines, cut behind the rows of these times, each piece a file of its own."""
    head, *lines = machine.FILE.read_text().splitlines(keepends=True)
    cuts = [[at for at, _ in rows].index(end) + 1 for end in ends]
    return [head + "".join(lines[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]


def replay(text, folder, port):
    """Send them with their own times. Returns how many the broker took."""
    path = folder / "piece.csv"
    path.write_text(text)
    command = ["replay", path, "--unit", "mt-1/NAB-1", "--metric", "machine_temp_f=value", "--no-shift", "--rate", "0"]
    done = subprocess.run(
        [*SIM, *command, "--mqtt", f"mqtt://127.0.0.1:{port}", "--quiet"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    published, acknowledged = re.search(
        r"published ([\d,]+) to mt-1/NAB-1, acknowledged ([\d,]+),", done.stdout
    ).groups()
    assert published == acknowledged
    return int(acknowledged.replace(",", ""))


def moment(text):
    return None if text is None else datetime.fromisoformat(text)


def alarms(roles, rule):
    """The rule's alarms as the API tells them, in the order of their onset, in the words of the oracle."""
    page = roles.get("/api/alarms?sort=newest&limit=500")
    assert page["next"] is None
    own = [alarm for alarm in page["alarms"] if alarm["rule"] == rule]
    assert not any(alarm["historic"] for alarm in own)
    return [
        machine.Alarm(
            onset=moment(alarm["onset"]),
            onset_value=alarm["evidence"]["onset_value"],
            raised_at=moment(alarm["raised_at"]),
            value=alarm["evidence"]["value"],
            extreme=alarm["evidence"]["extreme"],
            cleared_at=moment(alarm["cleared_at"]),
            cleared_value=alarm["clearing"] and alarm["clearing"]["value"],
            worst=alarm["clearing"] and alarm["clearing"]["extreme"],
        )
        for alarm in sorted(own, key=lambda alarm: alarm["onset"])
    ]


def test_a_real_machine_is_stored_whole_and_its_owner_is_told_of_each_cold_once(
    url, db, tmp_path, mosquitto_port, mail, rows
):
    cold, hot, windows = machine.cold(rows), machine.hot(rows), machine.windows()
    register(url, tmp_path)
    with running_roles(url, mosquitto_port, tmp_path, smtp_url=mail.url, **OLD, **EACH) as roles:
        ada = sign_up(roles, mail)
        *until_told, rest = pieces(rows, [alarm.raised_at for alarm in cold])
        sent = 0
        for nth, (piece, alarm) in enumerate(zip(until_told, cold, strict=True), 1):
            sent += replay(piece, tmp_path, mosquitto_port)
            until(lambda: len(mail.mails) == nth, what=f"mail {nth}")  # noqa: B023 - asked at once
            newest, *before = ada.get("/api/my/feed")["notices"]
            assert (newest["state"], newest["why"]["value"]) == ("open", alarm.value)
            assert [notice["state"] for notice in before] == ["resolved"] * (nth - 1)
        sent += replay(rest, tmp_path, mosquitto_port)
        until(lambda: roles.get("/api/units")["units"][0]["readings"][0]["at"] == "2014-02-19T15:25:00Z")
        until(lambda: ada.get("/api/my/feed")["notices"][0]["state"] == "resolved")
        until(lambda: len(roles.get("/api/ledger?limit=500")["lines"]) == len(cold) + len(hot))

        # Every reading is accounted for.
        stored = machine.first_of_each_time(rows)
        conflicting = machine.seconds_of_a_time(rows)
        assert sent == len(rows) == 22_695 == len(stored) + len(conflicting)
        until(lambda: db.execute("SELECT FROM telemetry_waiting").fetchone() is None)  # for the partitions of old days
        assert telemetry(db) == stored
        found = db.execute("SELECT time, value FROM conflicting_reading ORDER BY time").fetchall()
        assert [(row["time"], row["value"]) for row in found] == conflicting
        assert len(conflicting) == 12, "the clock was set back once, by an hour less five minutes"
        assert roles.get("/api/quarantine")["messages"] == []
        (reading,) = roles.get("/api/units")["units"][0]["readings"]
        assert reading["value"] == rows[-1][1]

        # The alarms are those that a plain pass over the file finds, in the labelled windows and outside of them.
        assert alarms(roles, "mt-1-cold") == cold
        assert alarms(roles, "mt-1-hot") == hot
        assert [machine.window_of(alarm, windows) for alarm in cold] == [1, 2, None, None, 4]
        assert [machine.window_of(alarm, windows) for alarm in hot] == [1, 1, None, 2] + [None] * 18
        assert all(alarm.cleared_at for alarm in cold)
        assert [alarm.onset for alarm in hot if alarm.cleared_at is None] == [datetime(2014, 2, 19, 4, 10, tzinfo=UTC)]

        # The owner was told of each cold one, once, in the feed and by mail; of the hot ones only support knows.
        feed = ada.get("/api/my/feed", limit=100)
        assert feed["next"] is None
        told = feed["notices"][::-1]
        assert [notice_facts(notice) for notice in told] == [expected(alarm) for alarm in cold]
        assert [notice["count"] for notice in told] == [1] * len(cold)
        assert [{each["channel"]: each["status"] for each in notice["deliveries"]} for notice in told] == [
            {"email": "delivered"}
        ] * len(cold)
        assert [(str(each["To"]), str(each["Subject"])) for each in mail.mails] == [
            (OWNER, "Your machine has gone cold")
        ] * len(cold)
        for each, alarm in zip(mail.mails, cold, strict=True):
            assert body(alarm) in " ".join(text_of(each).split())
        lines = roles.get("/api/ledger?limit=500")["lines"]
        reasons = [line["reason"] for line in lines if line["notice"] is None]
        assert reasons == ["the rule tells support only"] * len(hot)
        kinds = [row["kind"] for row in db.execute("SELECT kind FROM event")]
        assert [kinds.count(kind) for kind in ("notice.told", "notice.resolved", "delivery.delivered")] == [
            len(cold)
        ] * 3
        waiting = db.execute("SELECT count(*) AS n FROM outbox WHERE status IN ('waiting', 'claimed')").fetchone()
        assert waiting["n"] == 0


def telemetry(db):
    found = db.execute("SELECT time, value, late FROM telemetry").fetchall()
    assert not any(row["late"] for row in found)
    stored = {row["time"]: row["value"] for row in found}
    assert len(stored) == len(found)
    return stored


def body(alarm):
    return f"Compressor NAB-1 is at {round(alarm.value, 2):g} °F. While it works it does not go below 50 °F."


def notice_facts(notice):
    why = notice["why"]
    times = [moment(why[name]) for name in ("onset", "raised_at", "cleared_at")]
    return notice["state"], notice["title"], notice["body"], times, why["value"], why["extreme"], why["cleared_value"]


def expected(alarm):
    times = [alarm.onset, alarm.raised_at, alarm.cleared_at]
    title = "Your machine has gone cold"
    return "resolved", title, body(alarm), times, alarm.value, alarm.worst, alarm.cleared_value
