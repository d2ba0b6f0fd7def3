"""The outbox on a real database, a real SMTP server and a server that speaks FCM: every end of a delivery."""

from datetime import timedelta

import pytest

from gateway.core.clock import system_clock
from gateway.core.reason import Reason
from gateway.notify import addresses, attention
from tests.dsl.reasons import in_words
from tests.dsl.wait import until
from tests.factories.notices import clear_alarm, deliveries, make_owner, raise_alarm, running_worker, tries

PHONE, OTHER = "phone-number-one", "phone-number-two"


@pytest.fixture
def worker(url, mail, fcm):
    """Starts the worker with both channels."""

    def start(**settings):
        both = {"smtp_url": mail.url, "fcm_credentials": fcm.credentials, "fcm_url": fcm.url}
        return running_worker(url, **both | settings)

    return start


def wait_for_delivery(db, channel: str, status: str) -> dict:
    until(
        lambda: deliveries(db).get(channel, {}).get("status") == status,
        within=20,
        what=f"{channel} is {status}; there is {deliveries(db)}",
    )
    return deliveries(db)[channel]


def test_the_preferred_channel_is_told_and_the_other_waits(url, db, tmp_path, worker, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    with worker():
        raise_alarm(db)
        push = wait_for_delivery(db, "push", "delivered")
    email = deliveries(db)["email"]
    assert (push["reason"], push["attempts"], push["provider_id"]) == (
        "Firebase took it",
        1,
        "projects/demo-project/messages/1",
    )
    assert (email["status"], email["follows"]) == ("waiting", "push")
    assert email["due_at"] - system_clock() > timedelta(minutes=59)
    assert (fcm.phones(), mail.mails) == ([PHONE], [])
    why = db.execute("SELECT why FROM notice").fetchone()["why"]
    assert in_words(why["sent_because"]) == "we start with push, until we know what reaches you"


def test_the_other_channel_follows_when_nobody_looked_in_time(url, db, tmp_path, worker, mail):
    make_owner(url, tmp_path, phones=(PHONE,))
    with worker(follow_up_after="500ms"):
        raise_alarm(db)
        wait_for_delivery(db, "email", "delivered")
    assert len(mail.mails) == 1


def test_the_other_channel_does_not_follow_when_the_notice_was_opened(url, db, tmp_path, worker, mail):
    make_owner(url, tmp_path, phones=(PHONE,))
    with worker(follow_up_after="6s"):
        raise_alarm(db)
        wait_for_delivery(db, "push", "delivered")
        notice = db.execute("SELECT public_id FROM notice").fetchone()["public_id"]
        attention.note_opened(db, notice, "push", system_clock())
        email = wait_for_delivery(db, "email", "skipped")
    assert (email["reason"], mail.mails) == ("not needed: it was seen after push", [])


def test_what_is_back_to_normal_is_not_sent_any_more(url, db, tmp_path, worker, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = ["unavailable"] * 50
    with worker(retry_first="1s", retry_max="2s"):
        alarm = raise_alarm(db)
        until(lambda: tries(db))
        clear_alarm(db, alarm)
        push = wait_for_delivery(db, "push", "skipped")
    assert push["reason"] == "back to normal before it was due"
    assert fcm.taken == []


def test_information_is_told_on_one_channel_only(url, db, tmp_path, worker):
    make_owner(url, tmp_path, phones=(PHONE,), severity="info")
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "push", "delivered")
    assert set(deliveries(db)) == {"push"}


def test_safety_goes_to_every_channel_at_once_also_where_mail_was_stopped(url, db, tmp_path, worker, mail, fcm):
    ada = make_owner(url, tmp_path, phones=(PHONE,), severity="safety")
    addresses.suppress(db, ada, "ada@example.org", Reason.of("stopped-by-link"), system_clock())
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "push", "delivered")
        wait_for_delivery(db, "email", "delivered")
    assert mail.mails[0]["List-Unsubscribe"] is None
    assert fcm.taken[0]["android"]["priority"] == "high"


def test_safety_is_mailed_also_to_an_address_that_only_the_maker_knows(url, db, tmp_path, worker, mail):
    make_owner(url, tmp_path, confirmed=False, severity="safety")
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "email", "delivered")
    assert [each["To"] for each in mail.mails] == ["ada@example.org"]


def test_without_a_confirmed_address_nothing_is_mailed_and_the_reason_is_kept(url, db, tmp_path, worker, mail):
    make_owner(url, tmp_path, confirmed=False)
    with worker():
        raise_alarm(db)
        assert wait_for_delivery(db, "email", "skipped")["reason"] == "the address was not confirmed by its owner"
    assert mail.mails == []
    kinds = [row["kind"] for row in db.execute("SELECT kind FROM event ORDER BY id")]
    assert "delivery.skipped" in kinds


def test_who_stopped_mail_is_told_by_push_alone(url, db, tmp_path, worker, mail):
    ada = make_owner(url, tmp_path, phones=(PHONE,))
    addresses.prefer(db, ada, "email", system_clock(), actor="ada")
    addresses.suppress(db, ada, "Ada@Example.org", Reason.of("stopped-by-link"), system_clock())
    with worker(follow_up_after="100ms"):
        raise_alarm(db)
        wait_for_delivery(db, "push", "delivered")
    assert (set(deliveries(db)), mail.mails) == ({"push"}, [])


def test_a_dead_phone_is_retired_and_does_not_stop_the_others(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, phones=(PHONE, OTHER, "phone-number-three"))
    fcm.answers = {PHONE: ["unregistered"], OTHER: ["mismatch"]}
    with worker():
        raise_alarm(db)
        push = wait_for_delivery(db, "push", "delivered")
    assert push["reason"].startswith("reached 1 of 3; ")
    assert fcm.phones() == ["phone-number-three"]
    retired = {
        row["value"]: row["retired_reason"] for row in db.execute("SELECT value, retired_reason FROM push_token")
    }
    assert retired == {
        PHONE: Reason.of("push-gone"),
        OTHER: Reason.of("push-other-app"),
        "phone-number-three": None,
    }


def test_when_every_phone_is_dead_the_next_channel_goes_out_at_once(url, db, tmp_path, worker, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = ["unregistered"]
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "push", "failed")
        email = wait_for_delivery(db, "email", "delivered")
    assert email["follows"] is None
    assert len(mail.mails) == 1


def test_a_wrong_argument_proves_nothing_about_the_phone(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = ["invalid"]
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "push", "failed")
    assert db.execute("SELECT count(*) AS n FROM push_token WHERE retired_at IS NULL").fetchone()["n"] == 1


def test_what_was_surely_not_taken_is_tried_again_until_it_is(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, phones=(PHONE, OTHER))
    fcm.answers[PHONE] = ["unavailable", "quota", "unauthorized", "unauthorized", "unauthorized"]
    with worker():
        raise_alarm(db)
        push = wait_for_delivery(db, "push", "delivered")
    assert sorted(fcm.phones()) == sorted([OTHER, PHONE]), "the phone that had it did not get it again"
    assert (push["reason"], push["attempts"]) == ("reached 2 of 2", 4)
    assert tries(db).count((PHONE, "retry")) == 3


def test_the_provider_says_when_to_come_again(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = ["quota:3600"]
    with worker():
        raise_alarm(db)
        until(lambda: tries(db))
        push = wait_for_delivery(db, "push", "waiting")
    assert timedelta(minutes=59) < push["due_at"] - system_clock() <= timedelta(hours=1)


def test_tries_have_an_end_and_then_the_next_channel_is_told(url, db, tmp_path, worker, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = ["unavailable"] * 50
    with worker(send_attempts=3):
        raise_alarm(db)
        push = wait_for_delivery(db, "push", "failed")
        wait_for_delivery(db, "email", "delivered")
    assert (push["attempts"], len(fcm.asked)) == (3, 3)
    assert push["reason"].startswith("given up after 3 tries: ")


@pytest.mark.parametrize("how", ["hang", "drop"])
def test_an_answer_that_never_came_is_unknown_and_not_sent_again(url, db, tmp_path, worker, mail, fcm, how):
    make_owner(url, tmp_path, phones=(PHONE,))
    fcm.answers[PHONE] = [how]
    with worker(send_timeout="1s"):
        raise_alarm(db)
        push = wait_for_delivery(db, "push", "unknown")
        wait_for_delivery(db, "email", "delivered")
    assert push["reason"].startswith("Firebase did not say whether it took the message")
    assert (fcm.phones(), push["attempts"]) == ([PHONE], 1)


def test_safety_with_an_unknown_outcome_is_sent_again_and_says_so(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, confirmed=False, phones=(PHONE, OTHER), severity="safety")
    fcm.answers[PHONE] = ["drop"]
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "push", "delivered")
    assert sorted(fcm.phones()) == sorted([PHONE, OTHER, PHONE])
    assert fcm.taken[-1]["token"] == PHONE
    assert fcm.taken[-1]["notification"]["title"] == "Sent again: Switch the pump off"
    assert tries(db).count((PHONE, "unknown")) == 1


def test_a_channel_that_hangs_does_not_hold_up_the_other(url, db, tmp_path, worker, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,), severity="safety")
    fcm.answers[PHONE] = ["hang"] * 9
    with worker(send_timeout="4s", claim_timeout="30s"):
        raise_alarm(db)
        assert fcm.accepted.wait(10)
        until(lambda: mail.mails, within=3)


def test_a_channel_that_is_not_set_up_is_never_waited_for(url, db, tmp_path, mail, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    with running_worker(url, smtp_url=mail.url):
        raise_alarm(db)
        wait_for_delivery(db, "email", "delivered")
    assert set(deliveries(db)) == {"email"}
    db.execute("UPDATE outbox SET status = 'waiting', channel = 'push' WHERE channel = 'email'")
    with running_worker(url, smtp_url=mail.url):
        assert wait_for_delivery(db, "push", "skipped")["reason"] == "push is not set up here"


def test_the_own_choice_and_what_is_learned_decide_who_goes_first(url, db, tmp_path, worker):
    ada = make_owner(url, tmp_path, phones=(PHONE,))
    for _ in range(3):
        addresses.note(db, ada, "email", "signed_in", system_clock())
    with worker():
        raise_alarm(db)
        wait_for_delivery(db, "email", "delivered")
    why = db.execute("SELECT why FROM notice").fetchone()["why"]
    assert in_words(why["sent_because"]) == "you signed in by email 3 of the last 3 times"
    assert deliveries(db)["push"]["follows"] == "email"


def test_two_workers_never_send_the_same_delivery(url, db, tmp_path, worker, fcm):
    make_owner(url, tmp_path, phones=(PHONE,))
    with worker(), worker():
        for second in range(12):
            raise_alarm(db, ago=60 + second)
        wait_for_delivery(db, "push", "delivered")
        until(lambda: not db.execute("SELECT id FROM outbox WHERE status = 'claimed'").fetchone())
    links = [message["data"]["notice"] for message in fcm.taken]
    assert len(links) == len(set(links)) == db.execute("SELECT count(*) AS n FROM notice").fetchone()["n"]
