"""An owner of many affected units gets one message that lists them, and a notice for each unit."""

from datetime import timedelta

import pytest

from gateway.notify import addresses
from gateway.notify.compose import notice_mail, notice_push
from gateway.notify.links import OpenLink
from gateway.notify.stages import record
from gateway.notify.text import why
from tests.dsl.campaigns import office
from tests.dsl.owners import CODE
from tests.dsl.reasons import in_words
from tests.factories.campaigns import UPDATE, add_owners, add_units, column_values, confirm
from tests.integration.test_campaign_mail import LINKS, MAKER
from tests.integration.test_links_and_preferences import VISIT

SERIALS = [f"P{n}" for n in range(10, 50)]


@pytest.fixture
def at(url, db):
    """Forty pumps are Ada's, one is Bob's."""
    add_units(db, *((serial, "L1", "2.3") for serial in [*SERIALS, "BOBSPUMP"]), code=CODE)
    add_owners(db, dict.fromkeys(SERIALS, "Ada") | {"BOBSPUMP": "Bob"})
    confirm(db, "Ada", "Bob")
    with office(url, db) as opened:
        yield opened


def claims(at, channel):
    with at.database.transaction() as tx:
        return at.worker.senders.outbox.claim(tx, channel, at.world.now(), 1_000)


def open_as_a_person(at, notice):
    with at.database.transaction() as tx:
        link = addresses.links(tx, "", None).open(OpenLink(notice, "email"))
    return at.world.browser().client.get(link, headers=VISIT, follow_redirects=False)


def feed_of(at, name="ada"):
    return at.world.as_("customer", f"{name}@example.org").get("/api/my/feed?limit=100").json()


def test_forty_units_are_one_mail_and_one_push_that_list_them_and_forty_notices_of_one_group(at):
    campaign = at.publish()
    at.work()
    assert len(at.notices()) == 41
    assert at.outbox() == [("email", "waiting"), ("push", "waiting")] * 2
    mails = {claim.delivery.serials: claim.delivery for claim in claims(at, "email")}
    assert set(mails) == {tuple(SERIALS), ()}
    mail = notice_mail(mails[tuple(SERIALS)], "ada@example.org", "p", LINKS, MAKER)
    assert all(serial in mail.text and serial in mail.html for serial in SERIALS)
    assert "BOBSPUMP" not in mail.text
    _, _, data = notice_push(mails[tuple(SERIALS)], LINKS)
    assert data["units"] == "40"
    pinned = feed_of(at)["pinned"]
    assert (len(pinned), {(each["group"], each["group_size"]) for each in pinned}) == (40, {(pinned[0]["id"], 40)})
    (bobs,) = feed_of(at, "bob")["pinned"]
    assert (bobs["group"], bobs["group_size"]) == (None, None)
    reasons = column_values(at.db, "SELECT reason FROM ledger WHERE person_id IS NOT NULL ORDER BY id")
    shared = f"one message with notice {pinned[0]['id']}"
    assert sorted(map(in_words, set(reasons))) == ["nothing spoke against it", shared]
    assert at.progress(campaign)["registered"] == 41


def test_to_the_staff_each_of_the_forty_notices_says_how_their_message_went(at):
    at.publish()
    at.work()
    first, last = (each["id"] for each in (feed_of(at)["pinned"][0], feed_of(at)["pinned"][-1]))
    trails = [at.paula.get(f"/api/notices/{notice}").json()["trail"] for notice in (first, last)]
    assert [(step["channel"], step["step"]) for step in trails[1]][-2:] == [("email", "waiting"), ("push", "waiting")]
    assert trails[0] == trails[1]


def test_they_are_one_message_also_where_a_turn_takes_fewer_units(at):
    at.publish()
    at.work(at.new_worker(notify_batch=25))
    assert len(at.notices()) == 41
    assert len(at.outbox()) == 4


def test_they_are_one_message_also_where_another_owner_of_the_set_cannot_be_told(at, monkeypatch):
    def why_or_fail(subject, owner):
        if owner.name == "Bob":
            raise LookupError("no words")
        return why(subject, owner)

    at.publish()
    with monkeypatch.context() as broken:
        broken.setattr(record, "why", why_or_fail)
        at.work()
    assert {each["group_size"] for each in feed_of(at)["pinned"]} == {40}
    assert at.outbox() == [("email", "waiting"), ("push", "waiting")]
    at.later(timedelta(minutes=2))
    at.work()
    assert len(at.notices()) == 41


def test_all_of_them_count_as_notified_and_each_says_how_it_was_sent(at):
    campaign = at.publish()
    at.work()
    at.db.execute("UPDATE outbox SET status = 'delivered' WHERE channel = 'email'")
    assert at.progress(campaign)["notified"] == 41
    assert all(unit["notified"] for unit in at.units(campaign))
    for notice in feed_of(at)["pinned"]:
        assert [(each["channel"], each["status"]) for each in notice["deliveries"]] == [
            ("email", "delivered"),
            ("push", "waiting"),
        ]


def test_the_message_names_only_the_units_that_are_still_theirs_and_goes_out_while_there_is_one(at):
    at.publish()
    at.work()
    ada = at.world.as_("customer", "ada@example.org")
    units = {unit["serial"]: unit["id"] for unit in ada.get("/api/my/units").json()["units"]}
    for serial in SERIALS[:38]:
        ada.delete(f"/api/my/units/{units[serial]}")
    assert {claim.delivery.serials for claim in claims(at, "email")} == {(), tuple(SERIALS[38:])}
    at.db.execute("UPDATE outbox SET status = 'waiting' WHERE status = 'claimed'")
    for serial in SERIALS[38:]:
        ada.delete(f"/api/my/units/{units[serial]}")
    (mail,) = claims(at, "email")
    assert mail.delivery.serials == ()
    skipped = column_values(at.db, "SELECT DISTINCT reason FROM outbox WHERE status = 'skipped' AND channel = 'email'")
    assert [in_words(reason) for reason in skipped] == ["the unit is no longer yours"]


def test_an_update_of_forty_units_counts_as_one_notice_of_the_hour(at):
    at.worker = at.new_worker(notices_per_hour=2)
    at.publish(UPDATE)
    at.work()
    assert at.held() == [False] * 41
    at.publish(UPDATE)
    at.publish(UPDATE)
    at.work()
    assert at.held()[41:] == [False] * 41 + [True] * 41


def test_whoever_opens_the_message_has_read_all_of_its_notices_and_no_other(at):
    at.publish()
    at.publish(UPDATE)
    at.work()
    recall = next(each for each in claims(at, "email") if each.delivery.serials and each.delivery.kind == "recall")
    opened = open_as_a_person(at, recall.delivery.notice)
    assert (opened.status_code, opened.headers["location"]) == (303, f"/n/{recall.delivery.notice}")
    feed = feed_of(at)
    assert {bool(notice["read_at"]) for notice in feed["pinned"]} == {True}
    assert {bool(notice["read_at"]) for notice in feed["notices"]} == {False}
    assert feed["unread"] == 40
    assert len(at.events("notice.read")) == 40
    open_as_a_person(at, recall.delivery.notice)
    assert len(at.events("notice.read")) == 40


def test_of_two_equal_products_the_subject_says_by_place_or_serial_which_is_meant(at):
    at.publish(audience={"by": "serials", "serials": ["P10"]})
    at.publish(UPDATE, {"by": "firmware", "below": "2.4"})
    at.work()
    ada = at.world.as_("customer", "ada@example.org")
    (unit,) = (each for each in ada.get("/api/my/units").json()["units"] if each["serial"] == "P10")

    def subjects():
        at.db.execute("UPDATE outbox SET status = 'waiting' WHERE status = 'claimed'")
        waiting = [each.delivery for each in claims(at, "email")]
        mails = {notice_mail(each, "a@example.org", "p", LINKS, MAKER).subject for each in waiting}
        assert {notice_push(each, LINKS)[0] for each in waiting} == mails
        return mails

    headline = "Product safety recall: The pump may catch fire"
    assert subjects() == {f"{headline} (P10)", "Firmware 2.4"}, "Bob has one pump, and Ada's update lists all of hers"
    here = {"Sec-Fetch-Site": "same-origin"}
    ada.client.request("PATCH", f"/api/my/units/{unit['id']}", json={"place": "Cellar"}, headers=here)
    assert subjects() == {f"{headline} (Cellar)", "Firmware 2.4"}
    at.db.execute("UPDATE ownership SET place = 'Cellar' WHERE unit_id = (SELECT id FROM unit WHERE serial = 'P11')")
    assert f"{headline} (Cellar, P10)" in subjects()
