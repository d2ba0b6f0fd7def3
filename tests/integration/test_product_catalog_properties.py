"""In whatever order imports, applies, retires, kills and readings come: ingest starts and judges as an oracle does.

`GATEWAY_TEST_CATALOG_RUNS` sets how many sequences are tried; a few are in `make test`, hundreds in the proofs.
"""

import os
import time
from dataclasses import dataclass, field

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import catalog
from gateway.core.errors import BadInput
from gateway.imports.service import apply_rules, import_files, retire_rules
from gateway.ingest import judging
from gateway.store import connect
from gateway.store.migrate import migrate
from tests.conftest import database
from tests.dsl.catalog import commits_since
from tests.dsl.stepped import SteppedIngest
from tests.factories import PUMP

RUNS = int(os.environ.get("GATEWAY_TEST_CATALOG_RUNS", "8"))
PRODUCTS = ("pump", "fan")
METRICS = {
    name: {"name": name, "title": {"en": name}, "unit": "V", "range": [0, 100], "cadence": "1s"}
    for name in ("a", "b", "c")
}
LIMIT = 50.0
BEGAN = time.time() - 100_000  # all of it is historic, and none of it too old
RULE = """
id: {product}-{metric}
title: {{en: Too much}}
product: {product}
condition: {{kind: threshold, metric: {metric}, unit: V, above: {above}}}
severity: warning
audience: [owner]
text: {{en: {{title: T, body: B, action: A}}}}
tests:
  - {{name: fires, every: 1s, series: {{{metric}: "1 {hot}"}}, expect: [{{raised_at: 1s}}]}}
  - {{name: silent, every: 1s, series: {{{metric}: "1x3"}}, expect: []}}
"""

Changed = st.tuples(
    st.just("import"),
    st.lists(
        st.tuples(st.sampled_from(PRODUCTS), st.sets(st.sampled_from(sorted(METRICS)), min_size=1)),
        min_size=1,
        max_size=2,
        unique_by=lambda each: each[0],
    ),
    st.booleans(),
)
Spoiled = st.tuples(st.just("spoil"), st.sets(st.sampled_from(sorted(METRICS)), min_size=1))
Applied = st.tuples(
    st.just("apply"), st.sampled_from(PRODUCTS), st.sampled_from(sorted(METRICS)), st.sampled_from([LIMIT, 70.0])
)
Retired = st.tuples(st.just("retire"), st.sampled_from(PRODUCTS), st.sampled_from(sorted(METRICS)))
Read = st.tuples(
    st.just("read"),
    st.sampled_from(PRODUCTS),
    st.sampled_from(["1", "2"]),
    st.dictionaries(st.sampled_from(sorted(METRICS)), st.sampled_from([10.0, 60.0, 80.0]), min_size=1),
)
Trouble = st.tuples(st.just("trouble"), st.booleans())
Plain = st.sampled_from([("kill",), ("look",), ("look",)])
Save = st.tuples(st.just("save"), st.sampled_from([1, 20, 40, 64]))
"""So many partitions, in turn: those of a unit may be older than those of another."""
Steps = st.lists(
    st.one_of(Changed, Spoiled, Applied, Retired, Read, Read, Read, Trouble, Plain, Save), min_size=5, max_size=30
)


@dataclass
class Oracle:
    """One product, judged reading by reading in plain Python under what ingest has seen of the catalog."""

    code: str
    metrics: set[str] = field(default_factory=lambda: set(METRICS))
    rules: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Version and limit of each metric's rule, where one is in force."""
    newest: dict[str, tuple[int, float]] = field(default_factory=dict)
    seen_metrics: set[str] = field(default_factory=lambda: set(METRICS))
    seen_rules: dict[str, tuple[int, float]] = field(default_factory=dict)
    readings: list[tuple[str, int, str, float]] = field(default_factory=list)
    alarms: dict[tuple[str, int, str, int], int | str | None] = field(default_factory=dict)
    """By metric, version, unit and onset: when it was cleared, `changed` when its rule went, None while active."""
    waiting: list[tuple[str, int, str, float]] | None = None
    """Readings that nobody judged, while it is suspended."""
    asked: bool = False
    """Whether ingest will try it again."""

    def see(self) -> None:
        """Ingest takes the catalog over: alarms of rules that are gone are cleared."""
        for key, cleared in self.alarms.items():
            metric, version, _, _ = key
            if cleared is None and self.rules.get(metric, (0, 0))[0] != version:
                self.alarms[key] = "changed"
        self.seen_metrics, self.seen_rules = set(self.metrics), dict(self.rules)

    def read(self, unit: str, at: int, values: dict[str, float]) -> None:
        for metric, value in values.items():
            if metric in self.seen_metrics:
                self.readings.append((unit, at, metric, value))
                if self.waiting is not None:
                    self.waiting.append((unit, at, metric, value))
                else:
                    self.judge(unit, at, metric, value)

    def judge(self, unit: str, at: int, metric: str, value: float) -> None:
        if metric not in self.seen_rules:
            return
        version, limit = self.seen_rules[metric]
        active = [key for key, cleared in self.alarms.items() if key[:3] == (metric, version, unit) and cleared is None]
        if value > limit and not active:
            self.alarms[(metric, version, unit, at)] = None
        elif value <= limit and active:
            self.alarms[active[0]] = at

    def apply(self, metric: str, limit: float) -> None:
        """A document that says something new is a new version; an old one comes back as what it was."""
        version, before = self.newest.get(metric, (0, None))
        self.newest[metric] = self.rules[metric] = (version if limit == before else version + 1, limit)

    def resume(self) -> None:
        self.asked = False
        waiting, self.waiting = self.waiting or [], None
        for unit, at, metric, value in waiting:
            if metric in self.seen_metrics:
                self.judge(unit, at, metric, value)


class World:
    """The gateway and what is expected of it, moved together."""

    def __init__(self, url, db, folder, monkeypatch) -> None:
        self.url, self.db, self.folder = url, db, folder
        self.trouble = False
        judged = judging.judge

        def sometimes(state, table, readings):
            if self.trouble and len(table.versions):
                raise KeyError("a fault of the test")
            return judged(state, table, readings)

        monkeypatch.setattr(judging, "judge", sometimes)
        self.second = 0
        self.oracles = {code: Oracle(code) for code in PRODUCTS}
        self.bring([(code, set(METRICS)) for code in PRODUCTS], retire=False)
        self.db.execute(
            "INSERT INTO unit (public_id, product_id, serial, printed)"
            " SELECT p.code || n, p.id, n::text, n::text FROM product p, generate_series(1, 2) AS n"
        )
        self.ingest = SteppedIngest(self.url)

    def bring(self, products, *, retire: bool) -> None:
        paths = []
        for code, metrics in products:
            path = self.folder / f"{code}.yaml"
            path.write_text(
                yaml.safe_dump(PUMP | {"code": code, "metrics": [METRICS[name] for name in sorted(metrics)]})
            )
            paths.append(path)
        import_files(self.url, "products", paths, actor="test", retire_rules=retire)

    def step_import(self, products, retire) -> None:
        before = catalog.newest(self.db)
        breaks = any(self.oracles[code].rules.keys() - metrics for code, metrics in products)
        if breaks and not retire:
            with pytest.raises(BadInput):
                self.bring(products, retire=False)
            assert catalog.newest(self.db) == before
            return
        self.bring(products, retire=retire)
        assert commits_since(self.db, before) <= 1
        for code, metrics in products:
            oracle = self.oracles[code]
            oracle.metrics = set(metrics)
            oracle.rules = {metric: limit for metric, limit in oracle.rules.items() if metric in metrics}

    def step_spoil(self, metrics) -> None:
        """One file of two is no product's: the other one changes nothing either."""
        before = catalog.newest(self.db)
        with pytest.raises(BadInput):
            self.bring([("pump", metrics), ("fan", set())], retire=True)
        assert catalog.newest(self.db) == before

    def step_apply(self, code, metric, above) -> None:
        file = self.folder / "rule.yaml"
        file.write_text(RULE.format(product=code, metric=metric, above=above, hot=above + 10))
        if metric in self.oracles[code].metrics:
            apply_rules(self.url, [file], actor="test")
            self.oracles[code].apply(metric, above)
        else:
            with pytest.raises(BadInput):
                apply_rules(self.url, [file], actor="test")

    def step_retire(self, code, metric) -> None:
        retire_rules(self.url, [f"{code}-{metric}"], actor="test")
        self.oracles[code].rules.pop(metric, None)

    def step_read(self, code, unit, values) -> None:
        self.second += 1
        oracle = self.oracles[code]
        if self.trouble and oracle.seen_rules and oracle.waiting is None and values.keys() & oracle.seen_metrics:
            oracle.waiting = []
        self.ingest.send(code, unit, (BEGAN + self.second, values))
        oracle.read(unit, self.second, values)

    def step_trouble(self, begins) -> None:
        self.trouble = begins

    def step_kill(self) -> None:
        """The next process has no fault: else what was judged would wait to be judged again, under other rules."""
        self.trouble = False
        self.ingest.restart()
        self._see()

    def step_look(self) -> None:
        if self.ingest.ingest.judging.revision.number != catalog.newest(self.db):
            self._see()
        for _ in PRODUCTS:
            self.ingest.look()
        for oracle in self.oracles.values():
            if oracle.asked and not (self.trouble and oracle.seen_rules):
                oracle.resume()
            oracle.asked = False

    def step_save(self, partitions) -> None:
        self.ingest.save(partitions)

    def _see(self) -> None:
        for oracle in self.oracles.values():
            oracle.see()
            oracle.asked = oracle.waiting is not None

    def settle(self) -> None:
        """The fault is mended, and ingest starts once more."""
        self.trouble = False
        self.step_kill()
        self.step_look()
        assert self.ingest.suspended == set()
        self.ingest.kill()


def stored_state(db, code):
    readings = db.execute(
        "SELECT u.serial, t.time, m.name, t.value FROM telemetry t JOIN metric m ON m.id = t.metric_id"
        " JOIN unit u ON u.id = t.unit_id JOIN product p ON p.id = u.product_id WHERE p.code = %s",
        [code],
    )
    stored = sorted((row["serial"], second_of(row["time"]), row["name"], row["value"]) for row in readings)
    rows = db.execute(
        "SELECT v.document->'condition'->>'metric' AS metric, v.version, u.serial, a.onset, a.cleared_at, a.clearing"
        " FROM alarm a"
        " JOIN rule_version v ON v.id = a.rule_version_id JOIN unit u ON u.id = a.unit_id"
        " JOIN product p ON p.id = u.product_id WHERE p.code = %s",
        [code],
    )
    alarms = {}
    for row in rows:
        cleared = row["cleared_at"] and ("changed" if "reason" in row["clearing"] else second_of(row["cleared_at"]))
        key = (row["metric"], row["version"], row["serial"], second_of(row["onset"]))
        alarms[key] = cleared
    return stored, alarms


def second_of(moment) -> int:
    return round(moment.timestamp() - BEGAN)


@settings(
    max_examples=RUNS,
    deadline=None,
    derandomize="GATEWAY_TEST_CATALOG_RUNS" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # the folder may be shared
)
@given(steps=Steps)
def test_ingest_always_starts_loses_nothing_and_judges_as_the_oracle_does(server, migrated, tmp_path, steps):
    with (
        database(server, migrated or "template1") as url,
        connect(url, "test") as db,
        pytest.MonkeyPatch.context() as patch,
    ):
        if migrated is None:
            migrate(url)
        world = World(url, db, tmp_path, patch)
        try:
            for name, *arguments in steps:
                getattr(world, f"step_{name}")(*arguments)
            world.settle()
        finally:
            world.ingest.kill()
        for code in PRODUCTS:
            stored, alarms = stored_state(db, code)
            assert stored == sorted(world.oracles[code].readings)
            assert alarms == world.oracles[code].alarms
