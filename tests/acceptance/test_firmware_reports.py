"""A reported firmware on staff's stream, and statuses between readings while the ingest role is killed."""

from tests.dsl.forms import form
from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

MESSAGES = form(1_600, 4_000)
KILLS = form(2, 5)


def test_a_reported_firmware_is_seen_live(url, tmp_path, broker_port):
    make_fleet(url)
    with running_roles(url, broker_port, tmp_path) as roles, Devices(broker_port) as devices, roles.stream() as stream:
        devices.status("P1", {"state": "online", "firmware": "2.4.0"})
        event = stream.next("unit.firmware_reported")
        assert event["data"] == {"firmware": "2.4.0", "before": None}
        (unit,) = [unit for unit in roles.get("/api/units")["units"] if unit["firmware"]]
        assert (unit["id"], unit["serial"], unit["firmware"]) == (event["unit"], "P1", "2.4.0")


def test_kills_in_mid_stream_double_no_reading_and_bring_no_old_firmware_back(url, db, tmp_path, broker_port):
    """Readings without `ts`, so that only the order of redelivery tells a repeat, and statuses among them."""
    make_fleet(url)
    with running_roles(url, broker_port, tmp_path, "ingest") as roles:
        until(lambda: "Connected to the broker" in roles.log("ingest"))
        with Devices(broker_port) as devices:
            for number in range(MESSAGES):
                devices.reading("P1", temp_c=number / 100)
                if number % 7 == 0:
                    devices.status("P1", {"firmware": f"1.{number}"})
                if number % (MESSAGES // KILLS) == MESSAGES // KILLS // 2:
                    stored = count(db)
                    until(lambda: count(db) > stored, within=60)  # noqa: B023 - asked at once
                    roles.kill("ingest")
                    roles.start("ingest")
            devices.flush()
            until(lambda: count(db) >= MESSAGES, within=60, what="every reading is stored")
            last = f"1.{(MESSAGES - 1) // 7 * 7}"
            until(lambda: db.execute("SELECT 1 FROM unit WHERE firmware = %s", [last]).fetchone())
            devices.reading("P1", temp_c=MESSAGES / 100).flush()  # behind whatever would come too much
            until(lambda: db.execute("SELECT 1 FROM telemetry WHERE value = %s", [MESSAGES / 100]).fetchone())
        assert roles.stop("ingest") == 0
    values = [round(row["value"] * 100) for row in db.execute("SELECT value FROM telemetry ORDER BY value")]
    assert values == list(range(MESSAGES + 1))
    events = db.execute("SELECT data FROM event WHERE kind = 'unit.firmware_reported' ORDER BY id").fetchall()
    told = [event["data"]["firmware"] for event in events]
    assert [event["data"]["before"] for event in events] == [None, *told[:-1]]
    versions = [int(version.removeprefix("1.")) for version in told]
    assert versions == sorted(set(versions))
    assert db.execute("SELECT count(*) AS n FROM quarantine").fetchone()["n"] == 0


def test_a_killed_ingest_does_not_take_an_older_retained_firmware_for_news(url, db, tmp_path, mosquitto_port):
    """The broker retained 2.3.0; the unit said 2.4.0 since, without having it retained."""
    make_fleet(url)

    def firmware():
        return db.execute("SELECT firmware FROM unit WHERE serial = 'P1'").fetchone()["firmware"]

    with running_roles(url, mosquitto_port, tmp_path, "ingest") as roles, Devices(mosquitto_port) as devices:
        devices.status("P1", {"firmware": "2.3.0"}).flush()
        until(lambda: firmware() == "2.3.0")
        devices.status("P1", {"firmware": "2.4.0"}, retain=False).flush()
        until(lambda: firmware() == "2.4.0")
        roles.kill("ingest")
        roles.start("ingest")
        until(lambda: roles.log("ingest").count("Connected to the broker") == 2)
        for stored in (1, 2):  # the second is published after our subscription, and so comes behind what it brings
            devices.reading("P1", temp_c=20).flush()
            until(lambda: count(db) == stored)  # noqa: B023 - asked at once
        assert firmware() == "2.4.0"
    told = db.execute("SELECT data FROM event WHERE kind = 'unit.firmware_reported' ORDER BY id").fetchall()
    assert [event["data"]["firmware"] for event in told] == ["2.3.0", "2.4.0"]


def count(db):
    return db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"]
