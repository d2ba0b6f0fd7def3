"""The rule state is saved partition by partition; a start joins what was saved at different times.

`GATEWAY_TEST_PARTITION_RUNS` sets how many random runs are tried; a few are in `make test`.
"""

import os
import time

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.partition import PARTITIONS, partition_of
from gateway.ingest.judging import Judging
from gateway.ingest.restore import follow
from gateway.rules import repository as rules
from gateway.rules.state import assembled, dump, read_dump
from gateway.store import OperationalError, connect
from tests.conftest import migrated_database
from tests.dsl.catalog import FAN, RULE, Maker, RuleFault, alarms, fan_rule
from tests.dsl.stepped import SteppedIngest
from tests.factories import HOT, PUMP

RUNS = int(os.environ.get("GATEWAY_TEST_PARTITION_RUNS", "3"))
UNITS = [str(n) for n in range(1, 9)]
BEGAN = round(time.time()) - 2_000
WAITS = HOT % {"for": "2s", "raised": "5s", "severity": "warning", "audience": "owner"}


def add_units(db) -> None:
    db.execute(
        "INSERT INTO unit (public_id, product_id, serial, printed)"
        " SELECT p.code || n, p.id, n::text, n::text FROM product p, generate_series(1, 8) AS n ORDER BY p.id, n"
        " ON CONFLICT DO NOTHING"
    )


def saved_states(db) -> list[tuple[int, int, bytes]]:
    """All saved state, but of partitions in which no unit is."""
    rows = db.execute("SELECT product_id, partition, state FROM rule_snapshot ORDER BY product_id, partition")
    return [tuple(row.values()) for row in rows if len(read_dump(row["state"], 0).unit)]


def marks(db) -> list[int]:
    return [mark.seq for mark in rules.marks(db).values()]


def test_each_partition_is_saved_in_a_transaction_of_its_own_with_its_mark(maker, db, ingest):
    add_units(db)
    for code in ("pump", "fan"):
        for serial in UNITS:
            ingest.send(code, serial, (BEGAN, {"temp_c": 95}))
    ingest.save()
    rows = db.execute(
        "SELECT s.partition, s.product_id, s.xmin = m.xmin AS together FROM rule_snapshot s JOIN partition_mark m"
        " USING (partition) ORDER BY s.product_id DESC, s.partition"
    ).fetchall()
    expected = sorted({(code, partition_of(code, serial)) for code in ("pump", "fan") for serial in UNITS})
    assert [("pump" if row["product_id"] == 1 else "fan", row["partition"]) for row in rows] == expected
    assert all(row["together"] for row in rows)
    transactions = db.execute("SELECT count(DISTINCT xmin::text) AS n FROM partition_mark").fetchone()
    assert transactions["n"] == PARTITIONS


def test_a_save_touches_one_partition_and_the_next_one_the_next(maker, db, ingest):
    ingest.save()
    before = marks(db)
    ingest.send("pump", "1", (BEGAN, {"temp_c": 95}))
    ingest.save(3)
    assert [n for n in range(PARTITIONS) if marks(db)[n] != before[n]] == [0, 1, 2]
    ingest.save(1)
    assert [n for n in range(PARTITIONS) if marks(db)[n] != before[n]] == [0, 1, 2, 3]


def test_nothing_is_saved_while_nothing_comes(maker, db, ingest):
    ingest.save()
    query = "SELECT partition, xmin::text FROM partition_mark ORDER BY partition"
    before = db.execute(query).fetchall()
    ingest.save()
    assert db.execute(query).fetchall() == before


def test_the_journal_goes_as_far_back_as_the_oldest_partition_needs_it(maker, db, ingest):
    for second in range(3):
        ingest.send("pump", "1", (BEGAN + second, {"temp_c": 20}))
    ingest.save(PARTITIONS - 1)
    assert db.execute("SELECT FROM ingest_journal").rowcount == 4, "the catalog and three batches"
    ingest.save(1)
    assert db.execute("SELECT FROM ingest_journal").rowcount == 0, "no message of QoS 0 comes again"
    ingest.send("pump", "1", (BEGAN + 3, {"temp_c": 95}))
    ingest.restart()
    ingest.send("pump", "1", (BEGAN + 4, {"temp_c": 20}))
    assert [active for _, _, active, _ in alarms(db)] == [False]


def test_a_journal_row_names_the_partitions_of_its_readings(maker, db, ingest):
    ingest.send("fan", "2", (BEGAN, {"temp_c": 20}))
    rows = db.execute("SELECT partitions FROM ingest_journal ORDER BY seq").fetchall()
    assert [row["partitions"] for row in rows] == [[], [partition_of("fan", "2")]]


def test_a_change_of_the_catalog_whose_answer_got_lost_is_taken_over_once(maker, db, ingest, monkeypatch):
    ingest.send("pump", "1", (BEGAN, {"temp_c": 95}))
    maker.products(PUMP | {"brand": "Other"})
    lost = []

    def lose_the_answer(*taken_over) -> Judging:
        judging = follow(*taken_over)
        if not lost:
            lost.append(judging.seq)
            maker.products(PUMP | {"brand": "A third"})
            raise OperationalError("the connection is gone")
        return judging

    monkeypatch.setattr("gateway.ingest.ingest.follow", lose_the_answer)
    for _ in range(2):
        ingest.ingest.writer.keep_trying(ingest.ingest.housekeeping)
    assert lost == [3]
    revisions = db.execute("SELECT revision FROM ingest_journal ORDER BY seq").fetchall()
    first = revisions[0]["revision"]
    assert [row["revision"] - first for row in revisions] == [0, 0, 1, 2]
    ingest.send("pump", "1", (BEGAN + 1, {"temp_c": 20}))
    assert [active for _, _, active, _ in alarms(db)] == [False]


def test_a_product_that_goes_on_is_not_judged_again_under_the_rules_that_it_failed_under(
    maker, db, ingest, monkeypatch
):
    """The saves of its partitions are older than its trouble, its own state is not."""
    ingest.save()
    fault = RuleFault(monkeypatch)
    ingest.send("pump", "1", (BEGAN, {"temp_c": 95}))
    fault.in_compiling("pump")
    maker.products(PUMP | {"brand": "Other"})
    ingest.look()
    ingest.send("pump", "2", (BEGAN, {"temp_c": 95}))
    fault.on = False
    maker.products(PUMP | {"brand": "Third"})
    ingest.look()
    ingest.look()
    assert ingest.suspended == set()
    ingest.restart()
    assert ingest.suspended == set()
    for serial in ("1", "2"):
        ingest.send("pump", serial, (BEGAN + 1, {"temp_c": 20}))
    assert [(rule, active) for rule, _, active, _ in alarms(db)] == [("pump-hot", False), ("pump-hot", False)]


def test_the_state_of_a_version_before_is_put_into_todays_partitions_once(maker, db, ingest):
    """It had 16 partitions for each product, by the units' numbers, and one mark."""
    add_units(db)
    maker.rules(WAITS)
    ingest.look()
    for serial in UNITS:
        ingest.send("pump", serial, (BEGAN, {"temp_c": 95}))
        ingest.send("fan", serial, (BEGAN, {"temp_c": 95}))
    ingest.save()
    as_saved = saved_states(db)
    for serial in UNITS[4:]:
        ingest.send("pump", serial, (BEGAN + 1, {"temp_c": 95}))
    ingest.kill()
    with db.transaction():
        for product_id, parts in rules.snapshots(db).items():
            by_unit = [read_dump(each.state, 0) for each in parts]
            versions, metrics = (
                np.unique(np.concatenate(each))
                for each in zip(*((part.version, part.metrics) for part in by_unit), strict=True)
            )
            state = assembled(versions, metrics, by_unit)
            state.partition[:] = state.unit % 16
            rules.drop_snapshots(db, product_id)
            rules.save(db, 0, [(product_id, partition, dump(state, partition)) for partition in range(16)])
        db.execute("UPDATE rule_snapshot SET seq = NULL")
        db.execute("UPDATE ingest_journal SET partitions = NULL")
    ingest.start()
    assert saved_states(db) == as_saved
    assert db.execute("SELECT FROM rule_snapshot WHERE seq IS NULL").rowcount == 0
    for serial in UNITS:
        ingest.send("pump", serial, (BEGAN + 2, {"temp_c": 95}))
    found = alarms(db)
    assert [(onset - BEGAN, active) for rule, onset, active, _ in found if rule == "pump-hot"] == [(0, True)] * 8


Message = st.tuples(st.sampled_from(["pump", "fan"]), st.sampled_from(UNITS), st.sampled_from([20, 87, 95]))
Sent = st.tuples(st.just("send"), st.lists(Message, min_size=1, max_size=8))
Save = st.tuples(st.just("save"), st.integers(1, PARTITIONS))
Changed = st.tuples(st.just("change"), st.sampled_from(["brand", "level", "waits", "other"]))
Steps = st.lists(st.one_of(Sent, Sent, Sent, Sent, Save, Save, Changed, st.just(("kill",))), min_size=10, max_size=30)


class CatalogRun:
    """The same steps on a database of its own, with saves and kills or without."""

    def __init__(self, url, db, folder, *, broken: bool) -> None:
        self.db, self.broken, self.second, self.number = db, broken, 0, 0
        self.maker = Maker(url, folder)
        self.maker.products(PUMP, FAN)
        self.maker.rules(WAITS, fan_rule(RULE))
        add_units(db)
        self.ingest = SteppedIngest(url)

    def send(self, messages) -> None:
        """A batch of units in several partitions."""
        self.second += 1
        *first, last = [(code, serial, (BEGAN + self.second, {"temp_c": value})) for code, serial, value in messages]
        for message in first:
            self.ingest.put(*message)
        self.ingest.send(*last)

    def save(self, partitions) -> None:
        if self.broken:
            self.ingest.save(partitions)

    def kill(self) -> None:
        if self.broken:
            self.ingest.restart()

    def change(self, what) -> None:
        """Two changes between two looks, so that a rule may go and come back; ingest sees each look's outcome."""
        self.number += 1
        if what == "brand":
            self.maker.products(PUMP | {"brand": f"B{self.number}"})
        elif what == "other":
            self.maker.rules(fan_rule(RULE if self.number % 2 else WAITS))
        else:
            self.maker.rules(WAITS if what == "waits" else RULE.replace("above: 90", "above: 86"))
        self.ingest.look()

    def outcome(self):
        self.ingest.save()
        self.ingest.kill()
        cleared = self.db.execute("SELECT rule_version_id, unit_id, onset, cleared_at IS NULL AS active FROM alarm"
                                  " ORDER BY rule_version_id, unit_id, onset").fetchall()  # fmt: skip
        kinds = self.db.execute("SELECT kind, count(*) AS n FROM event GROUP BY kind ORDER BY kind").fetchall()
        return saved_states(self.db), cleared, kinds


@settings(
    max_examples=RUNS,
    deadline=None,
    derandomize="GATEWAY_TEST_PARTITION_RUNS" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=Steps)
def test_a_start_from_partitions_of_different_age_knows_and_tells_what_an_unbroken_run_does(
    server, migrated, tmp_path, steps
):
    outcomes = []
    for broken in (False, True):
        with migrated_database(server, migrated) as url, connect(url, "test") as db:
            run = CatalogRun(url, db, tmp_path, broken=broken)
            for name, *arguments in steps:
                getattr(run, name)(*arguments)
            run.kill()
            outcomes.append(run.outcome())
    unbroken, broken = outcomes
    assert broken == unbroken
