"""The progress of campaigns: its figures are kept in the transactions that change them, and never drift."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Rollback

from gateway import flow
from gateway.campaigns.progress import hold_owners, progress, take_up_owners
from gateway.campaigns.tell import tell_due
from gateway.notify import attention
from gateway.notify.model import Policy
from gateway.registrations import claims
from gateway.store import load_queries
from gateway.store.migrate import all_migrations
from gateway.store.queries import Queries
from tests.dsl.campaigns import Office, office, response_body
from tests.dsl.owners import CODE
from tests.dsl.wait import until
from tests.factories.campaigns import RECALL, UPDATE, WITHDRAWAL, add_owners, add_units, column_values, confirm

ORACLE = Queries("oracle", (Path(__file__).parents[1] / "oracle" / "campaign_progress.sql").read_text())
SUMS = load_queries("gateway.campaigns")
SERIALS = [f"P{n}" for n in range(1, 9)]
NAMES = ["Ada", "Bob", "Cleo", "Dora"]
RESULTS = ["waiting", "claimed", "delivered", "failed", "skipped", "unknown"]
ACTS = 60
POLICY = Policy(timedelta(hours=1), 20, ("email",))


@pytest.fixture
def at(url, db) -> Office:
    """Eight pumps of lot L1; six of them have owners, some two."""
    add_units(db, *((serial, "L1", "2.3") for serial in SERIALS), code=CODE)
    add_owners(db, dict(zip(SERIALS[:6], NAMES + NAMES[:2], strict=True)))
    confirm(db, *NAMES)
    with office(url, db) as opened:
        opened.worker = opened.new_worker(notices_per_hour=2)  # so that some are held
        yield opened


def shown(at: Office) -> dict[int, Any]:
    """The progress of every published campaign, as the API returns it; new owners are response_body up first."""
    while take_up_owners(at.db, at.world.now(), 100):
        pass
    return progress(at.db, column_values(at.db, "SELECT id FROM campaign WHERE state <> 'draft'"), at.world.now())


def counted(at: Office) -> dict[int, Any]:
    """The same, counted in full."""
    parameters = {"ids": column_values(at.db, "SELECT id FROM campaign WHERE state <> 'draft'"), "now": at.world.now()}
    rows = at.db.execute(ORACLE.progress, parameters).fetchall()
    by_id = {row.pop("campaign_id"): row | {"channels": []} for row in rows}
    for row in at.db.execute(ORACLE.channels, parameters):
        by_id[row.pop("campaign_id")]["channels"].append(row)
    return by_id


class Acts:
    """What can happen to campaigns, chosen by a seed."""

    def __init__(self, at: Office, seed: int) -> None:
        self.at, self.choose = at, random.Random(seed)
        self.all: list[Callable[[], object]] = [
            self.publish, self.supersede, self.look, self.look, self.look, self.see, self.open_link, self.acknowledge,
            self.acknowledge, self.deliver, self.deliver, self.deliver, self.hand_over, self.hand_over_tomorrow,
            self.give_up, self.update, self.wait, self.fail, self.sum_up,
        ]  # fmt: skip

    def act(self) -> str:
        chosen = self.choose.choice(self.all)
        chosen()
        return chosen.__name__

    def publish(self) -> None:
        if self.choose.random() < 0.3:
            self.at.publish(self.choose.choice([RECALL, UPDATE]))

    def supersede(self) -> None:
        live = column_values(self.at.db, "SELECT public_id FROM campaign WHERE state = 'published' AND kind = 'recall'")
        if live and self.choose.random() < 0.4:
            former = self.choose.choice(live)
            audience = {"by": "serials", "serials": self.choose.sample(SERIALS, 4)}
            withdraws = self.choose.random() < 0.5
            self.at.publish(*((WITHDRAWAL, None, former) if withdraws else (RECALL, audience, former)))

    def look(self) -> None:
        self.at.worker.turn()

    def see(self) -> None:
        self._with_notice(attention.read)

    def acknowledge(self) -> None:
        self._with_notice(attention.acknowledged)

    def open_link(self) -> None:
        sent = column_values(
            self.at.db, "SELECT jsonb_build_array(n.public_id, o.channel) FROM outbox o JOIN notice n"
            " ON n.id = o.notice_id WHERE o.channel <> 'feed' ORDER BY o.id",
        )  # fmt: skip
        if sent:
            with self.at.database.transaction() as tx:
                attention.note_opened(tx, *self.choose.choice(sent), self.at.world.now())

    def deliver(self) -> None:
        rows = column_values(self.at.db, "SELECT id FROM outbox WHERE channel <> 'feed' ORDER BY id")
        chosen = self.choose.sample(rows, min(3, len(rows)))
        self.at.db.execute("UPDATE outbox SET status = %s WHERE id = ANY(%s) AND status <> 'delivered'",
                           [self.choose.choice(RESULTS), chosen])  # fmt: skip

    def hand_over(self) -> None:
        self._begin(self.at.world.now())

    def hand_over_tomorrow(self) -> None:
        self._begin(self.at.world.now() + timedelta(days=1))

    def _begin(self, since) -> None:
        serial = self.choose.choice(SERIALS)
        last = column_values(self.at.db, "SELECT max(lower(o.during)) FROM ownership o JOIN unit u ON u.id = o.unit_id"
                                  " WHERE u.serial = %s", [serial])[0]  # fmt: skip
        if last is None or last < since:
            add_owners(self.at.db, {serial: self.choose.choice(NAMES)}, since)

    def give_up(self) -> None:
        owned = self.at.db.execute(
            "SELECT o.person_id, p.public_id AS person, u.public_id AS unit FROM ownership o"
            " JOIN unit u ON u.id = o.unit_id JOIN person p ON p.id = o.person_id"
            " WHERE o.during @> %s AND upper_inf(o.during) ORDER BY u.id", [self.at.world.now()],
        ).fetchall()  # fmt: skip
        if owned:
            one = self.choose.choice(owned)
            with self.at.database.transaction() as tx:
                claims.release(tx, one["person_id"], one["person"], one["unit"], self.at.world.now())

    def update(self) -> None:
        self.at.report_firmware(self.choose.choice(SERIALS), "2.4")

    def wait(self) -> None:
        self.at.later(timedelta(hours=self.choose.choice([1, 30])))

    def fail(self) -> None:
        """What is rolled back was never counted."""
        with self.at.database.transaction() as tx:
            tx.execute("UPDATE notice SET read_at = now() WHERE read_at IS NULL")
            tx.execute("UPDATE outbox SET status = 'delivered' WHERE status = 'waiting'")
            raise Rollback

    def sum_up(self) -> None:
        with self.at.database.transaction() as tx:
            for row in tx.execute(SUMS.campaigns_to_sum, {"most": 1}).fetchall():
                tx.execute(SUMS.sum_figures, {"id": row["campaign_id"], "limit": 10_000})

    def _with_notice(self, mark: Callable[..., object]) -> None:
        notices = self.at.db.execute("SELECT person_id, public_id FROM notice ORDER BY id").fetchall()
        if notices:
            one = self.choose.choice(notices)
            with self.at.database.transaction() as tx:
                mark(tx, one["person_id"], one["public_id"], self.at.world.now())


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_are_those_of_a_full_count_after_anything(at, seed):
    acts = Acts(at, seed)
    at.publish()
    at.work()
    done: list[str] = []
    for _ in range(ACTS):
        done.append(acts.act())
        assert shown(at) == counted(at), f"after {done}"
    assert len({*done}) > len({*acts.all}) / 2


def test_acts_at_the_same_moment_are_all_counted(at):
    """Owners acknowledge what is delivered at that moment, while units change hands and the figures are summed."""
    at.publish()
    at.work()
    notices = at.db.execute("SELECT person_id, public_id FROM notice ORDER BY id").fetchall()
    together = threading.Barrier(3)

    def acknowledge() -> None:
        for notice in notices:
            together.wait()
            with at.database.transaction() as tx:
                attention.acknowledged(tx, notice["person_id"], notice["public_id"], at.world.now())

    def deliver() -> None:
        for notice in reversed(notices):
            together.wait()
            at.db.execute("UPDATE outbox SET status = 'delivered' WHERE channel <> 'feed' AND notice_id IN"
                          " (SELECT id FROM notice WHERE public_id >= %s)", [notice["public_id"]])  # fmt: skip

    def look() -> None:
        for _ in notices:
            together.wait()
            at.worker.turn()

    threads = [threading.Thread(target=each) for each in (acknowledge, deliver, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert shown(at) == counted(at)
    (figures,) = shown(at).values()
    assert figures["acknowledged"] == figures["notified"] == len(notices)


def test_who_takes_a_unit_while_its_recall_is_approved_counts(at):
    """The approval does not see the new owner, and whoever takes up new owners would not see its units."""
    draft = at.draft()
    with at.database.transaction() as approval:
        hold_owners(approval)
        add_owners(at.db, {"P8": "Dora"}, at.world.now())
        assert take_up_owners(at.db, at.world.now(), 100) == 0, "it waits for the approval"
    response_body(at.approve(draft))
    assert [each["registered"] for each in shown(at).values()] == [7]
    assert shown(at) == counted(at)


def test_who_is_told_before_the_new_owner_is_taken_up_counts_once_it_is(at):
    at.publish()
    add_owners(at.db, {"P8": "Dora"}, at.world.now())
    with at.database.transaction() as tx:
        tell_due(tx, at.world.now(), 100, POLICY, flow.NOTICE)
    (notice,) = at.db.execute("SELECT person_id, public_id FROM notice WHERE unit_id = (SELECT id FROM unit"
                              " WHERE serial = 'P8')").fetchall()  # fmt: skip
    with at.database.transaction() as tx:
        attention.read(tx, notice["person_id"], notice["public_id"], at.world.now())
    (early,) = progress(at.db, column_values(at.db, "SELECT id FROM campaign"), at.world.now()).values()
    assert (early["registered"], early["seen"]) == (6, 0), "both with the new owner, or neither"
    assert shown(at) == counted(at)
    assert [(each["registered"], each["seen"]) for each in shown(at).values()] == [(7, 1)]


def test_what_was_published_before_the_upgrade_is_counted_by_it(at):
    acts = Acts(at, 99)
    at.publish()
    for _ in range(ACTS):
        acts.act()
    (text,) = [text for name, text in all_migrations() if name.startswith("0023")]
    functions = column_values(at.db, "SELECT DISTINCT p.oid::regprocedure::text FROM pg_proc p"
                              " WHERE position('FUNCTION ' || p.proname || '(' in %s) > 0", [text])  # fmt: skip
    for function in functions:
        at.db.execute(f"DROP FUNCTION {function} CASCADE")
    at.db.execute("DROP TABLE campaign_figure, campaign_notice, ownership_change")
    at.db.execute("ALTER TABLE campaign_unit DROP person_id, DROP owned_since")
    with at.db.transaction():
        at.db.execute(text)
    assert shown(at) == counted(at)
    acts.act()
    assert shown(at) == counted(at)


def test_many_rows_of_figures_become_their_sums(at):
    campaign = at.publish()
    at.work()
    (row_id,) = column_values(at.db, "SELECT id FROM campaign")
    at.db.execute(
        "INSERT INTO campaign_figure (campaign_id, figure, amount)"
        " SELECT %s, 'seen', n %% 3 - 1 FROM generate_series(1, 3000) n", [row_id],
    )  # fmt: skip
    before = at.progress(campaign)
    until(lambda: at.worker.turn() == 0)
    assert column_values(at.db, "SELECT count(*) FROM campaign_figure WHERE NOT is_sum")[0] == 0
    assert at.progress(campaign) == before
