"""`gateway check` measures real servers, and names what to change."""

import json
import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.m2m.session import Refused, Session
from gateway.roles.check import as_json, as_text, check, is_well
from gateway.roles.process import free_port
from gateway.store import connect
from gateway.store.grants import grant
from gateway.store.migrate import migrate
from gateway.store.probe import probe as probe_database
from tests.dsl.fcm import Fcm
from tests.dsl.mosquitto import GATEWAY, deployed_broker, plain_broker, running, set_password
from tests.dsl.postgres import server_with_users
from tests.dsl.smtp import mail_server


def finding(name: str, **settings):
    """The finding of this name; None if there is none."""
    given = {"mqtt_url": f"mqtt://127.0.0.1:{free_port()}", "mail_from": "support@example.com"} | settings
    findings = {each.name: each for each in check(Settings(**given), system_clock)}
    return findings.get(name)


def broker_url(port: int, user: tuple[str, str] | None = None) -> str:
    return f"mqtt://{user[0]}:{user[1]}@127.0.0.1:{port}" if user else f"mqtt://127.0.0.1:{port}"


# -- The broker -----------------------------------------------------------------------------------------------


def test_mosquittos_defaults_lose_a_backlog_and_that_is_named(tmp_path):
    with plain_broker(tmp_path) as port:
        findings = {each.name: each for each in check(Settings(mqtt_url=broker_url(port)), system_clock)}
    backlog = findings["broker backlog"]
    assert backlog.state == "problem"
    assert backlog.measured.startswith("1000 of 2000 messages were kept")
    assert "max_queued_messages 0" in backlog.change
    assert "takes 20 unacknowledged messages" in findings["broker"].measured, "its max_inflight_messages"


def test_the_configuration_in_deploy_is_well(tmp_path):
    with deployed_broker(tmp_path) as port:
        findings = check(Settings(mqtt_url=broker_url(port, GATEWAY)), system_clock)
        mine = [each for each in findings if each.name.startswith("broker")]
        assert [(each.name, each.state) for each in mine] == [
            ("broker", "ok"),
            ("broker subscription", "ok"),
            ("broker receipts", "ok"),
            ("broker window", "ok"),
            ("broker backlog", "ok"),
        ], as_text(mine)
        assert "lets us in as gateway" in mine[0].measured
        assert mine[3].measured.startswith("5000 of 5000 messages")
        assert mine[4].measured.startswith("2000 of 2000 messages")


def test_the_window_that_ingest_asks_for_is_the_one_that_is_measured(tmp_path):
    with plain_broker(tmp_path) as port:
        window = finding("broker window", mqtt_url=broker_url(port), mqtt_receive_maximum=37)
    assert (window.state, window.measured) == ("ok", "37 of 37 messages came before one was acknowledged")


def test_the_embedded_brokers_window_of_100_is_a_warning(tmp_path):
    with EmbeddedBroker(tmp_path / "broker", port := free_port(), free_port()):
        window = finding("broker window", mqtt_url=broker_url(port))
    assert window.state == "warning"
    assert window.measured.startswith("100 of 5000 messages")
    assert "max_inflight_messages" in window.change


def test_the_embedded_brokers_other_port_is_named_for_what_it_is(tmp_path):
    with EmbeddedBroker(tmp_path / "broker", free_port(), port := free_port()):
        broker = finding("broker", mqtt_url=broker_url(port))
    assert broker.state == "problem"
    assert "must name a listener for MQTT 5" in broker.change


def test_mosquittos_limit_for_sessions_of_old_clients_is_not_taken_for_one_of_ours(tmp_path):
    with plain_broker(tmp_path, "persistent_client_expiration 1d") as port:
        allowed = finding("broker", mqtt_url=broker_url(port), mqtt_session_expiry=timedelta(days=7))
    assert allowed.state == "ok", "Mosquitto's limit is for MQTT 3.1.1 sessions"


def test_an_unreachable_broker_is_one_clear_line():
    port = free_port()
    broker = finding("broker", mqtt_url=broker_url(port))
    assert broker.state == "problem"
    assert broker.measured == f"127.0.0.1:{port} does not answer: [Errno 111] Connection refused"
    assert "GATEWAY_MQTT_URL" in broker.change
    assert finding("broker window", mqtt_url=broker_url(port)) is None


def test_a_wrong_password_at_the_broker_is_named(tmp_path):
    with deployed_broker(tmp_path) as port:
        broker = finding("broker", mqtt_url=broker_url(port, ("gateway", "guessed")))
    assert broker.state == "problem"
    assert "refuses us as gateway: " in broker.measured
    assert broker.change == "user and password in GATEWAY_MQTT_URL"


def test_an_acl_that_forbids_measuring_is_said_clearly(tmp_path):
    set_password(tmp_path, *GATEWAY)
    (tmp_path / "acl").write_text("user gateway\ntopic read m2m/v1/#\n")
    port = free_port()
    config = f"listener {port} 127.0.0.1\nuser root\npassword_file {tmp_path}/passwords\nacl_file {tmp_path}/acl\n"
    with running(tmp_path, config, port):
        limits = finding("broker limits", mqtt_url=broker_url(port, GATEWAY))
    assert limits.state == "warning"
    assert "not measured with m2m/check/gateway-check-" in limits.measured
    assert "Not authorized" in limits.measured
    assert "topic readwrite m2m/check/#" in limits.change


def test_an_acl_that_forbids_receipts_is_told_and_deploys_does_not(tmp_path):
    (tmp_path / "acl").write_text("topic readwrite m2m/check/#\ntopic read m2m/v1/#\n")
    port = free_port()
    config = f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nacl_file {tmp_path}/acl\n"
    with running(tmp_path, config, port):
        receipts = finding("broker receipts", mqtt_url=broker_url(port))
    assert receipts.state == "warning"
    assert "receipt is refused to us (Not authorized)" in receipts.measured
    assert "topic write m2m/v1/+/+/receipt" in receipts.change
    with deployed_broker(tmp_path) as port:
        assert finding("broker receipts", mqtt_url=broker_url(port, GATEWAY)).state == "ok"


def test_an_acl_that_lets_us_write_and_not_read_is_not_taken_for_a_window_of_nought(tmp_path):
    set_password(tmp_path, *GATEWAY)
    (tmp_path / "acl").write_text("user gateway\ntopic read m2m/v1/#\ntopic write m2m/check/#\n")
    port = free_port()
    config = f"listener {port} 127.0.0.1\nuser root\npassword_file {tmp_path}/passwords\nacl_file {tmp_path}/acl\n"
    with running(tmp_path, config, port):
        window = finding("broker window", mqtt_url=broker_url(port, GATEWAY))
    assert (window.state, "we may write m2m/check/" in window.measured) == ("warning", True)


def test_the_check_leaves_no_session_behind(tmp_path):
    """One left behind would collect the messages of every later check."""
    port = free_port()
    lines = f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nsys_interval 1\nmax_queued_messages 0\n"
    with running(tmp_path, lines, port):
        assert finding("broker backlog", mqtt_url=broker_url(port)).state == "ok"
        with Session(("127.0.0.1", port), None, "counts") as session:
            session.subscribe("$SYS/broker/clients/disconnected")  # told again when it changes, once a second
            session.collect(2, 8)
        assert session.last_payload == b"0"


# -- The database ---------------------------------------------------------------------------------------------


def database_states(url: str) -> dict[str, tuple[str, str, str]]:
    return {each.name: (each.state, each.measured, each.change) for each in probe_database(url, system_clock)}


@pytest.fixture(scope="module")
def users(binaries):
    with server_with_users(binaries) as server:
        yield server


def test_a_database_is_followed_from_empty_to_well(users):
    """As an operator meets it: not migrated, then migrated, then granted."""
    states = database_states(users.migrate_url)
    assert states["database"][0] == "ok"
    assert states["schema"][0] == "problem"
    assert "0001_pre_spine.sql" in states["schema"][1]
    assert states["schema"][2] == "run `gateway migrate`"

    migrate(users.migrate_url)
    states = database_states(users.roles_url)
    assert states["rights"][0] == "problem"
    assert "gateway migrate --grant USER" in states["rights"][2]

    grant(users.migrate_url, "gateway_roles")
    states = database_states(users.roles_url)
    assert {name: state for name, (state, *_) in states.items()} == dict.fromkeys(
        ["database", "durability", "database clock", "schema", "telemetry", "rights", "maintenance"], "ok"
    )
    assert "as gateway_roles" in states["database"][1]
    assert "zone UTC" in states["database clock"][1]
    assert states["telemetry"][1] == "partitions by day (no TimescaleDB)"


def test_a_right_that_is_missing_is_named(users):
    migrate(users.migrate_url)
    grant(users.migrate_url, "gateway_roles")
    with connect(users.migrate_url) as owner:
        owner.execute("REVOKE INSERT ON outbox FROM gateway_roles")
        owner.execute("REVOKE EXECUTE ON FUNCTION telemetry_make_day(date) FROM gateway_roles")
        state, measured, _ = database_states(users.roles_url)["rights"]
        assert (state, measured) == ("problem", "we may not: insert outbox, call telemetry_make_day(date)")
        grant(users.migrate_url, "gateway_roles")
        owner.execute("SELECT 1")
    assert database_states(users.roles_url)["rights"][0] == "ok"
    assert database_states(users.migrate_url)["rights"][0] == "ok", "the owner has them all"


def test_a_wrong_password_at_the_database_is_named(users):
    state, measured, change = database_states(users.url("gateway_roles", "guessed"))["database"]
    assert state == "problem"
    assert 'password authentication failed for user "gateway_roles"' in measured
    assert "guessed" not in measured
    assert change == "GATEWAY_DATABASE_URL"


def test_a_server_that_does_not_flush_is_a_problem(server):
    """The tests' own servers run so; what we acknowledge on them does not survive a power cut."""
    state, measured, change = database_states(server)["durability"]
    with connect(server) as db:
        off = db.execute("SHOW fsync").fetchone() == {"fsync": "off"}
    assert (state == "problem", "fsync = on" in change) == (off, off), measured


def test_a_clock_that_differs_is_measured(url):
    ahead = {each.name: each for each in probe_database(url, lambda: system_clock() - timedelta(seconds=5))}[
        "database clock"
    ]
    assert ahead.state == "warning"
    assert ahead.measured.startswith(("+5.0", "+4.9"))
    assert "NTP" in ahead.change
    far = {each.name: each for each in probe_database(url, lambda: system_clock() + timedelta(minutes=5))}
    assert far["database clock"].state == "problem"


def test_a_database_that_is_not_there_is_one_clear_line(server):
    states = database_states(psycopg.conninfo.make_conninfo(server, dbname=f"none_{secrets.token_hex(4)}"))
    assert list(states) == ["database"]
    assert "does not exist" in states["database"][1]


# -- Mail, push, addresses ------------------------------------------------------------------------------------


def test_a_mail_server_takes_the_sender_and_gets_no_mail():
    with mail_server() as mails:
        mail = finding("mail", smtp_url=mails.url)
        assert (mail.state, mail.measured) == (
            "ok",
            "127.0.0.1: not encrypted, without sign-in, sender support@example.com taken",
        )
        assert mails.mails == []
        assert mails.recipients == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://127.0.0.1:{port}", "Error connecting to 127.0.0.1"),
        ("smtp://user:secret@127.0.0.1:{mail}", "SMTP AUTH extension is not supported"),
        ("smtps://127.0.0.1:{mail}", ""),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_named_with_its_words(url, said):
    with mail_server() as mails:
        mail = finding("mail", smtp_url=url.format(port=free_port(), mail=mails.port))
    assert mail.state == "problem"
    assert said in mail.measured
    assert "secret" not in mail.measured
    assert "GATEWAY_SMTP_URL" in mail.change


def test_without_a_mail_server_or_with_a_senders_name_of_nobody_there_is_a_warning():
    assert finding("mail").state == "warning"
    with mail_server() as mails:
        mail = finding("mail", smtp_url=mails.url, mail_from="gateway@localhost")
    assert (mail.state, "GATEWAY_MAIL_FROM" in mail.change) == ("warning", True)


def test_a_service_account_is_read_and_a_file_that_is_none_is_named(tmp_path):
    credentials = Fcm(tmp_path).credentials
    credentials.chmod(0o600)
    assert finding("push", fcm_credentials=credentials).state == "ok"
    credentials.chmod(0o644)
    assert finding("push", fcm_credentials=credentials).state == "warning"
    assert finding("push", fcm_credentials=tmp_path / "none.json").state == "problem"
    (tmp_path / "other.json").write_text('{"type": "something"}')
    assert finding("push", fcm_credentials=tmp_path / "other.json").state == "problem"
    assert finding("push").state == "ok"


@pytest.mark.parametrize(
    ("url", "hosts", "state", "word"),
    [
        ("https://support.example.com", ["support.example.com"], "ok", ""),
        ("http://support.example.com", ["support.example.com"], "warning", "TLS"),
        ("http://127.0.0.1:8080", ["127.0.0.1"], "warning", "GATEWAY_PUBLIC_URL"),
        ("https://support.example.com", ["127.0.0.1"], "problem", "GATEWAY_HTTP_ALLOWED_HOSTS"),
    ],
)
def test_the_public_address_must_be_reachable_safe_and_answered(url, hosts, state, word):
    address = finding("public url", public_url=url, http_allowed_hosts=hosts)
    assert (address.state, word in address.change) == (state, True)


def test_the_data_folder_counts_only_where_a_server_of_ours_would_use_it(tmp_path):
    (tmp_path / "file").write_text("")
    blocked = tmp_path / "file" / "data"
    assert finding("data dir", data_dir=blocked).state == "problem"
    assert finding("data dir", data_dir=blocked, database_url="postgresql://127.0.0.1:1/none").state == "ok"
    assert finding("data dir", data_dir=tmp_path / "a" / "b").state == "ok"
    assert not (tmp_path / "a").exists()


def test_a_logo_that_cannot_be_shown_is_found_before_the_api_refuses_to_start(tmp_path):
    assert finding("logo").state == "ok"
    assert finding("logo", maker_logo=tmp_path / "none.svg").state == "problem"
    (tmp_path / "logo.svg").write_text("<html>")
    assert finding("logo", maker_logo=tmp_path / "logo.svg").state == "problem"
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    assert finding("logo", maker_logo=tmp_path / "logo.svg").state == "ok"


# -- The command ----------------------------------------------------------------------------------------------


@contextmanager
def healthy_installation(folder: Path, users):
    """An installation in which all is well, as variables."""
    migrate(users.migrate_url)
    grant(users.migrate_url, "gateway_roles")
    with deployed_broker(folder) as port, mail_server() as mails:
        yield {
            "GATEWAY_DATABASE_URL": users.roles_url,
            "GATEWAY_MQTT_URL": broker_url(port, GATEWAY),
            "GATEWAY_SMTP_URL": mails.url,
            "GATEWAY_MAIL_FROM": "support@example.com",
            "GATEWAY_PUBLIC_URL": "https://support.example.com",
            "GATEWAY_HTTP_ALLOWED_HOSTS": '["support.example.com"]',
        }


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("gateway")), "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | env)


def test_the_command_ends_0_where_all_is_well_and_1_with_a_problem(tmp_path, users):
    with healthy_installation(tmp_path, users) as env:
        well = run("--json", **env)
        told = json.loads(well.stdout)
        assert {each["state"] for each in told["findings"]} == {"ok"}, well.stdout
        assert (well.returncode, told["ok"]) == (0, True)
        wrong = run(**env | {"GATEWAY_MQTT_URL": env["GATEWAY_MQTT_URL"].replace(":gateway-secret", ":guessed")})
    assert wrong.returncode == 1
    assert "problem  broker: " in wrong.stdout
    assert "         -> user and password in GATEWAY_MQTT_URL" in wrong.stdout
    assert wrong.stdout.rstrip().endswith("1 problems, 0 warnings.")
    assert wrong.stderr == ""


def test_text_and_json_tell_the_same():
    findings = check(Settings(mqtt_url=broker_url(free_port())), system_clock)
    text, told = as_text(findings), json.loads(as_json(findings))
    assert not is_well(findings)
    assert told["ok"] is False
    for each in told["findings"]:
        assert f"{each['state']:8} {each['name']}: {each['measured']}" in text
        assert each["change"] in text


def test_a_session_that_is_refused_leaves_no_socket_open(tmp_path):
    with EmbeddedBroker(tmp_path / "broker", free_port(), port := free_port()), pytest.raises(Refused):
        Session(("127.0.0.1", port), None, "wrong-version").__enter__()
