"""kill -9 of the worker between the provider's acceptance and our record: one explained state, nothing sent twice.

The provider itself kills the worker: it has taken the message, and has not answered yet. So the moment is forced.
"""

import threading
from collections.abc import Callable

import pytest

from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories.notices import QUICK, deliveries, make_owner, raise_alarm, tries

PHONES = ("phone-number-one", "phone-number-two")
REASON = "sending was interrupted; the provider may have taken it"


@pytest.fixture
def roles(url, tmp_path, mail, fcm):
    both = {"smtp_url": mail.url, "fcm_credentials": fcm.credentials, "fcm_url": fcm.url}
    with running_roles(url, 1, tmp_path, "worker", **QUICK | both) as started:
        yield started


def delivered_phones(db):
    """The phones that surely took it."""
    return [phone for phone, outcome in tries(db) if phone and outcome == "delivered"]


def kill_worker_at_send(roles, provider, first_confirmed: Callable[[], bool] | None = None) -> threading.Event:
    """Have the provider kill the worker once it has taken a message, before it answers. Returns when that was.

    With `first_confirmed` the first message is answered, and at the second it waits until our record of the first.
    """
    done = threading.Event()
    answered = []

    def accept() -> None:
        if done.is_set():
            return
        if first_confirmed and not answered:
            answered.append(True)
            return
        if first_confirmed:
            until(first_confirmed)
        roles.kill("worker")
        done.set()

    provider.on_accept = accept
    return done


def status(db, channel: str) -> str | None:
    return deliveries(db).get(channel, {}).get("status")


def test_a_mail_that_was_taken_and_not_recorded_is_unknown_and_not_sent_again(url, db, tmp_path, roles, mail):
    make_owner(url, tmp_path)
    killed = kill_worker_at_send(roles, mail)
    raise_alarm(db)
    assert killed.wait(30)
    assert status(db, "email") == "claimed", "nothing was recorded"
    roles.start("worker")
    until(lambda: status(db, "email") == "unknown")
    email = deliveries(db)["email"]
    assert (email["reason"], email["attempts"]) == (REASON, 1)
    assert tries(db) == [(None, "unknown")]
    # The next alarm is told all the same, and the mail before it is not sent again meanwhile.
    db.execute("UPDATE rule_version SET document = jsonb_set(document, '{severity}', '\"critical\"')")
    raise_alarm(db, ago=30)
    until(lambda: status(db, "email") == "delivered")
    assert [str(sent["Subject"]) for sent in mail.mails] == ["Switch the pump off"] * 2
    assert len({sent["Message-ID"] for sent in mail.mails}) == 2
    kinds = [row["kind"] for row in db.execute("SELECT kind FROM event")]
    assert kinds.count("delivery.unknown") == 1


def test_the_phone_that_confirmed_gets_nothing_again_and_the_state_says_so(url, db, tmp_path, roles, mail, fcm):
    """One phone's answer was recorded, the other's not: the person was reached."""
    make_owner(url, tmp_path, phones=PHONES)
    killed = kill_worker_at_send(roles, fcm, lambda: "delivered" in dict(tries(db)).values())
    raise_alarm(db)
    assert killed.wait(30)
    assert status(db, "push") == "claimed"
    roles.start("worker")
    until(lambda: status(db, "push") != "claimed")
    push = deliveries(db)["push"]
    assert (push["status"], push["reason"]) == ("delivered", f"reached 1 of 2; {REASON}")
    assert sorted(fcm.phones()) == sorted(PHONES)
    assert sorted(outcome for _, outcome in tries(db)) == ["delivered", "unknown"]


def test_safety_is_sent_again_only_where_it_may_be_missing_and_says_so(url, db, tmp_path, roles, fcm):
    make_owner(url, tmp_path, confirmed=False, phones=PHONES, severity="safety")
    killed = kill_worker_at_send(roles, fcm, lambda: bool(delivered_phones(db)))
    raise_alarm(db)
    assert killed.wait(30)
    roles.start("worker")
    until(lambda: status(db, "push") == "delivered")
    confirmed = delivered_phones(db)[0]
    (missing,) = set(PHONES) - {confirmed}
    assert fcm.phones().count(confirmed) == 1
    assert fcm.phones().count(missing) == 2
    assert fcm.taken[-1]["notification"]["title"].startswith("Sent again: ")
    assert "cannot tell whether it reached you" in fcm.taken[-1]["notification"]["body"]
    assert deliveries(db)["push"]["reason"] == "reached 2 of 2"
    assert [outcome for phone, outcome in tries(db) if phone == missing] == ["unknown", "delivered"]


def test_a_safety_mail_is_sent_again_and_says_so(url, db, tmp_path, roles, mail):
    make_owner(url, tmp_path, severity="safety")
    killed = kill_worker_at_send(roles, mail)
    raise_alarm(db)
    assert killed.wait(30)
    roles.start("worker")
    until(lambda: status(db, "email") == "delivered")
    first, second = mail.mails
    assert (str(first["Subject"]), str(second["Subject"])) == ("Switch the pump off", "Sent again: Switch the pump off")
    assert first["Message-ID"] == second["Message-ID"], "a mailbox knows that it is the same"
    assert tries(db) == [(None, "unknown"), (None, "delivered")]
