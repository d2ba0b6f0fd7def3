"""docker-compose.yml keeps what it says: there is no Docker here, so its services run as processes.

The same commands, environments, files and health checks; host names, ports and places are those of this machine.
"""

import re
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.demo.servers.programs import find_programs
from gateway.roles.process import free_port
from gateway.store import connect
from tests.dsl.compose import ROOT, Compose, MissingVariable, dotenv, interpolate
from tests.dsl.mosquitto import DEPLOY, local, running
from tests.dsl.postgres import USERS_SQL, server_with_users
from tests.dsl.wait import until
from tests.factories import make_fleet

PATIENCE_S = 60  # each health check is a process that starts anew
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
EXAMPLE = dotenv((ROOT / ".env.example").read_text())
REQUIRED = ("DB_SUPERUSER_PASSWORD", "DB_MIGRATE_PASSWORD", "DB_ROLES_PASSWORD", "MQTT_GATEWAY_PASSWORD")
ONE_OFF = {"broker-users", "migrate", "simulator-data"}
ROLES = ("ingest", "worker", "api")
FILLED = EXAMPLE | {name: f"{name.lower().replace('_', '')}4711" for name in REQUIRED}
WITH_SIMULATOR = FILLED | {"MQTT_SIMULATOR_PASSWORD": "simulator4711"}


# -- The file -------------------------------------------------------------------------------------------------


def test_there_is_no_default_password_and_each_missing_one_is_named():
    assert set(EXAMPLE.values()) == {""}
    for name in REQUIRED:
        with pytest.raises(MissingVariable, match=f"set {name} in .env"):
            interpolate(FILE, FILLED | {name: ""})
    interpolate(FILE, FILLED)


def test_every_variable_of_the_file_is_in_the_example_and_the_other_way_round():
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", text)) == set(EXAMPLE)


def test_nothing_is_published_beyond_this_machine_unless_asked():
    services = interpolate(FILE, FILLED)["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "broker": ["127.0.0.1:1883:1883"],
        "api": ["127.0.0.1:8080:8080"],
        "mail": ["127.0.0.1:8025:8025"],
    }


def test_every_service_has_a_health_check_or_ends_by_itself():
    for name, service in FILE["services"].items():
        assert ("healthcheck" in service) == (name not in ONE_OFF), name
        assert ("restart" in service) == (name not in ONE_OFF), name


def test_images_are_pinned_and_the_roles_wait_for_the_migration():
    for name, service in FILE["services"].items():
        assert re.search(r":v?\d+\.\d+\.\d+", service["image"]), name
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_OFF else "service_healthy"
            assert how == {"condition": expected}, (name, other)
    for role in ROLES:
        assert set(FILE["services"][role]["depends_on"]) == {"migrate", "broker"}
    assert [name for name in FILE["services"] if FILE["services"][name].get("profiles")] == [
        "mail",
        "simulator-data",
        "simulator",
    ]


def test_the_image_is_built_from_files_that_are_there_and_runs_without_rights():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in last_stage
    assert not any("nodejs" in line or line.startswith("COPY gateway") for line in last_stage)


# -- The services ---------------------------------------------------------------------------------------------


@contextmanager
def installation(binaries, folder, variables):
    """Database and broker as the file sets them up, and the file itself for the rest."""
    services = interpolate(FILE, variables)["services"]
    (folder / "config").mkdir()
    (folder / "data").mkdir()
    mqtt, http = free_port(), free_port()
    volumes = services["db"]["volumes"] + services["broker"]["volumes"]
    assert f"./{USERS_SQL.relative_to(ROOT)}:/docker-entrypoint-initdb.d/100-users.sql:ro" in volumes
    assert f"./{DEPLOY.relative_to(ROOT)}:/mosquitto/config:ro" in volumes
    with server_with_users(binaries, services["db"]["environment"]) as server:
        sockets = psycopg.conninfo.conninfo_to_dict(server.superuser_url)["host"]
        here = {
            "@db:5432/gateway": f"@/gateway?host={quote(sockets, safe='')}",
            "@broker:1883": f"@127.0.0.1:{mqtt}",
            "/mosquitto/": f"{folder}/",
            "-p 1883": f"-p {mqtt}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - the container's
            "/demo/": f"{ROOT}/gateway/demo/data/",
            "/tmp/device-sim.sock": f"{folder}/sim.sock",  # noqa: S108 - the container's
            "pg_isready": str(find_programs() / "pg_isready"),
        }
        compose = Compose(variables, here, folder)
        # Inside the container it is reached by TCP; here the server has a socket only.
        probe = compose.services["db"]["healthcheck"]["test"]
        probe[probe.index("127.0.0.1")] = sockets
        for service in compose.services.values():
            if "GATEWAY_HTTP_PORT" in service.get("environment", {}):
                service["environment"]["GATEWAY_HTTP_PORT"] = http
        for name in ("acl", "users.sh", "mosquitto.conf"):
            (folder / "config" / name).write_text(compose.local((DEPLOY / name).read_text()))
        made = compose.run("broker-users")
        assert made.returncode == 0, made.stderr
        config = local((DEPLOY / "mosquitto.conf").read_text(), folder / "data", mqtt)
        config = config.replace(f"{DEPLOY}/acl", f"{folder}/config/acl")
        try:
            with running(folder, config, mqtt) as broker:
                yield compose, server, mqtt, broker
        finally:
            compose.end()


def publish(port: int, user: str, password: str, topic: str, protocol=MQTTProtocolVersion.MQTTv5) -> str:
    """Publish 21 °C as a device does. Returns what the broker said of it, or of the connection."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
    client.username_pw_set(user, password)
    said: list[str] = []
    client.on_connect = lambda _c, _d, _f, reason, _p: said.append(str(reason)) if reason.is_failure else None
    client.on_publish = lambda _c, _d, _m, reason, _p: said.append(str(reason))
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, '{"values": {"temp_c": 21.0}}', qos=1)
    until(lambda: said, what="the broker's answer")
    client.disconnect()
    client.loop_stop()
    return said[0]


def test_the_services_work_together_as_the_file_sets_them_up(binaries, tmp_path):
    """From nothing to a stored reading, with the file's users and passwords; nobody else's reading gets in."""
    with installation(binaries, tmp_path, FILLED) as (compose, server, mqtt, broker):
        assert compose.healthy("broker")
        assert compose.healthy("db")
        early = compose.run("worker")
        assert early.returncode == 78, "a role that does not wait for the migration says so"
        migrated = compose.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert "gateway_roles may run the roles." in migrated.stdout
        assert not compose.healthy("worker")
        make_fleet(compose.environment("api")["GATEWAY_DATABASE_URL"], ("P1", "P2"))
        for role in ROLES:
            compose.start(role)
        for role in ROLES:
            until(lambda role=role: compose.healthy(role), within=PATIENCE_S, what=f"{role} is healthy")
        again = compose.run("migrate")
        assert (again.returncode, "up to date" in again.stdout) == (0, True), "with each `up`, also while roles run"

        # A device with a user of its own, made as the operator makes it.
        made = compose.run(
            "broker-users", "mosquitto_passwd", "-b", "/mosquitto/data/passwords", "pump/P1", "own-secret"
        )
        assert made.returncode == 0, made.stderr
        broker.reload()  # docker compose kill -s HUP broker
        until(
            lambda: publish(mqtt, "pump/P1", "own-secret", "m2m/v1/pump/P1/telemetry") == "Success", within=PATIENCE_S
        )
        with connect(server.superuser_url) as admin:
            until(lambda: stored(admin), within=PATIENCE_S, what="the reading is stored")
            assert stored(admin) == ["P1"]
            # Another's topic, another's name, no name.
            assert publish(mqtt, "pump/P1", "own-secret", "m2m/v1/pump/P2/telemetry") == "Not authorized"
            denied = publish(mqtt, "pump/P1", "own-secret", "m2m/v1/pump/P2/telemetry", MQTTProtocolVersion.MQTTv311)
            assert denied == "Success", "3.1.1 cannot say it"
            assert publish(mqtt, "pump/P2", "own-secret", "m2m/v1/pump/P2/telemetry") == "Not authorized"
            assert (
                publish(mqtt, "gateway", FILLED["MQTT_GATEWAY_PASSWORD"], "m2m/v1/pump/P2/telemetry")
                == "Not authorized"
            )
            assert publish(mqtt, "simulator", "", "m2m/v1/pump/P2/telemetry") == "Not authorized"
            assert publish(mqtt, "pump/P1", "own-secret", "m2m/v1/pump/P1/telemetry") == "Success"
            until(lambda: len(stored(admin)) == 2, within=PATIENCE_S, what="the last one, which came behind those")
            assert stored(admin) == ["P1", "P1"]
            assert admin.execute("SELECT count(*) AS n FROM quarantine").fetchone() == {"n": 0}
            users = (
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name ~ '^gateway-(ingest|worker|api)$'"
            )
            assert admin.execute(users).fetchall() == [{"usename": "gateway_roles"}]

        checked = compose.run("api", "gateway", "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "0 problems" in checked.stdout

        # A stopped role is not healthy; the others are as they were.
        assert compose.stop("worker") == 0
        until(lambda: not compose.healthy("worker"), within=PATIENCE_S)
        assert compose.healthy("ingest")
        for role in ("ingest", "api"):
            assert compose.stop(role) == 0
            until(
                lambda role=role: not compose.healthy(role), within=PATIENCE_S, what=f"{role} is not healthy any more"
            )


def stored(admin) -> list[str]:
    rows = admin.execute("SELECT u.serial FROM telemetry t JOIN unit u ON u.id = t.unit_id ORDER BY 1").fetchall()
    return [row["serial"] for row in rows]


def test_ingest_without_its_broker_is_not_healthy(tmp_path):
    with installation(None, tmp_path, FILLED) as (compose, _server, _mqtt, broker):
        assert compose.run("migrate").returncode == 0
        compose.start("ingest")
        until(lambda: compose.healthy("ingest"), within=PATIENCE_S)
        broker.stop()
        until(lambda: not compose.healthy("ingest"), within=PATIENCE_S)
        assert not compose.healthy("broker")
        said = compose.run("ingest", "gateway", "health", "--role", "ingest")
        assert (said.returncode, said.stderr) == (1, "gateway: ingest lives, and waits for the broker.\n")


def test_the_simulator_profile_plays_the_demos_units(tmp_path):
    with installation(None, tmp_path, WITH_SIMULATOR) as (compose, server, _mqtt, _broker):
        assert compose.run("migrate").returncode == 0
        filled = compose.run("simulator-data")
        assert filled.returncode == 0, filled.stderr
        compose.start("ingest")
        until(lambda: compose.healthy("ingest"), within=PATIENCE_S)
        assert not compose.healthy("simulator")
        compose.start("simulator")
        until(lambda: compose.healthy("simulator"), within=PATIENCE_S)
        with connect(server.superuser_url) as admin:
            until(lambda: len(set(stored(admin))) == 200, within=PATIENCE_S, what="all 200 report")
        assert compose.stop("simulator") == 0
