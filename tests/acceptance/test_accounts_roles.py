"""Accounts on the running roles: the first administrator from the command line, and streams that end on sign-out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.demo.people import PEOPLE, settle
from gateway.store import connect
from tests.dsl.people import session, site
from tests.dsl.roles import running_roles
from tests.dsl.wait import until

GATEWAY = str(Path(sys.executable).with_name("gateway"))


def run(url, *arguments, **env):
    given = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
    command = [GATEWAY, "admin", "create", *arguments]
    return subprocess.run(
        command, env=given | {"GATEWAY_DATABASE_URL": url} | env, capture_output=True, text=True, timeout=60
    )


def test_the_first_administrator_takes_an_invitation(url, db):
    done = run(url, "Boss@Example.org", "--name", "The Boss", "--show-code")
    assert done.returncode == 0, done.stderr
    code = re.search(r"invitation code of boss@example.org is (\d{8});", done.stdout)[1]
    assert db.execute("SELECT count(*) AS n FROM account").fetchone()["n"] == 0
    assert db.execute("SELECT count(*) AS n FROM letter").fetchone()["n"] == 0
    with site(url, db) as world:
        browser = world.browser()
        body = {"email": "boss@example.org", "code": code, "password": "correct horse battery"}
        assert browser.post("/api/invitations/accept", body).json()["role"] == "administrator"
        assert world.kinds() == ["invited", "confirmed", "role_given"]


def test_with_mail_the_code_is_mailed_and_not_shown(url, db):
    done = run(url, "boss@example.org", "--name", "The Boss", GATEWAY_SMTP_URL="smtp://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    (letter,) = db.execute("SELECT to_email, template, data FROM letter").fetchall()
    assert (letter["to_email"], letter["template"], letter["data"]["invited_by"]) == (
        "boss@example.org",
        "invite",
        None,
    )
    assert letter["data"]["code"] not in done.stdout
    assert "was mailed to boss@example.org" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["boss@example.org", "--name", "The Boss"], "print the code with --show-code"),
        (["boss", "--name", "The Boss", "--show-code"], "not an e-mail address"),
        (["boss@example.org", "--name", " ", "--show-code"], "The name is empty"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(url, db, arguments, words):
    done = run(url, *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert db.execute("SELECT count(*) AS n FROM sign_in_code").fetchone()["n"] == 0


def test_a_stream_of_the_staff_ends_on_sign_out(url, db, tmp_path):
    with running_roles(url, 1, tmp_path, "api") as roles:
        until_it_answers(roles)
        other = session(url, "administrator")
        with site(url, db) as world, roles.stream() as stream:
            stranger = world.browser()
            stranger.enter(other)
            assert stranger.post("/api/sign-out").status_code == 204
            assert stream.next("account.signed_out")["data"].keys() == {"account", "session"}
            own = world.browser()
            own.enter(roles.cookie["Cookie"].removeprefix("session="))
            assert own.post("/api/sign-out-everywhere").status_code == 204
            assert stream.next("stream.end")
            assert stream.at_end()


def until_it_answers(roles):
    def answers():
        try:
            return roles.get("/healthz")["alive"]
        except OSError:
            return False

    until(answers, within=30)


def test_the_demos_people_sign_in_with_the_printed_password_also_after_a_restart(url, db, tmp_path):
    password = settle(url, tmp_path)
    assert settle(url, tmp_path) == password
    assert (tmp_path / "demo-password.txt").stat().st_mode & 0o777 == 0o600
    with site(url, db) as world:
        for person in PEOPLE:
            assert world.browser().sign_in(person.email, password).json()["role"] == person.role
    with connect(url) as other:
        (tmp_path / "demo-password.txt").unlink()
        assert settle(url, tmp_path) != password
        assert other.execute("SELECT count(*) AS n FROM account").fetchone()["n"] == len(PEOPLE)
