"""A maker's catalog of two products that changes while ingest runs, and the rows of its readings and alarms."""

from pathlib import Path

import yaml

from gateway.imports.service import apply_rules, import_files
from gateway.ingest import judging
from gateway.store import Connection, connect
from tests.factories import HOT, PUMP

FLOW = {"name": "flow_l_min", "title": {"en": "Flow"}, "unit": "l/min", "range": [0, 99], "cadence": "1s"}
TEMPERATURE, PRESSURE = PUMP["metrics"]
FAN = PUMP | {"code": "fan", "model": "F 1", "name": {"en": "Fan"}}
RULE = HOT % {"for": "0s", "raised": "3s", "severity": "warning", "audience": "owner"}


PRESS = (
    RULE.replace("pump-hot", "pump-press")
    .replace("metric: temp_c, unit: °C, above: 90, clear_below: 85", "metric: pressure_bar, unit: bar, above: 5")
    .replace('temp_c: "80x3 95x20"', 'pressure_bar: "1x3 6x20"')
    .replace('temp_c: "80x20"', 'pressure_bar: "1x20"')
)


class Maker:
    """A maker who changes the catalog by files."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def file(self, name: str, *documents: str) -> Path:
        path = self.folder / name
        path.write_text("---\n".join(documents))
        return path

    def products(self, *products: dict, rules: tuple[str, ...] = (), retire: bool = False) -> list[str]:
        paths = [self.file(f"{content['code']}.yaml", yaml.safe_dump(content)) for content in products]
        rule_files = [self.file("with.yaml", *rules)] if rules else []
        return import_files(self.url, "products", paths, actor="test", rule_files=rule_files, retire_rules=retire)

    def rules(self, *documents: str) -> list[str]:
        return apply_rules(self.url, [self.file("rules.yaml", *documents)], actor="test")

    def units(self) -> None:
        """Create two units of each product."""
        with connect(self.url, "test") as connection:
            connection.execute(
                "INSERT INTO unit (public_id, product_id, serial, printed)"
                " SELECT p.code || n, p.id, n::text, n::text FROM product p, generate_series(1, 2) AS n"
                " ORDER BY p.id, n"
            )


def fan_rule(rule: str) -> str:
    return rule.replace("pump-hot", "fan-hot").replace("product: pump", "product: fan")


def stored(db: Connection, code: str = "pump") -> list[tuple[str, float]]:
    rows = db.execute(
        "SELECT m.name, t.value FROM telemetry t JOIN metric m ON m.id = t.metric_id JOIN unit u ON u.id = t.unit_id"
        " JOIN product p ON p.id = u.product_id WHERE p.code = %s ORDER BY t.time, m.name",
        [code],
    )
    return [(row["name"], row["value"]) for row in rows]


def alarms(db: Connection) -> list[tuple[str, float, bool, bool]]:
    rows = db.execute(
        "SELECT v.rule_id, extract(epoch FROM a.onset)::float8 AS onset, a.cleared_at IS NULL AS active, a.historic"
        " FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id ORDER BY a.onset, v.rule_id"
    )
    return [(row["rule_id"], row["onset"], row["active"], row["historic"]) for row in rows]


def waits_for_a_lock(db: Connection) -> bool:
    waiting = db.execute(
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
    )
    return waiting.fetchone() is not None


def catalog_tables(db: Connection) -> list[object]:
    tables = ("product", "product_metric", "rule_version", "catalog_revision", "product_revision", "event")
    return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


def commits_since(db: Connection, revision: int) -> int:
    """The number of transactions that made revisions after this one."""
    rows = db.execute("SELECT DISTINCT xmin::text FROM catalog_revision WHERE number > %s", [revision])
    return rows.rowcount


def refused(db: Connection) -> list[str]:
    return [row["reason"] for row in db.execute("SELECT reason FROM quarantine ORDER BY id")]


class RuleFault:
    """A fault in compiling or judging one product's rules, while `on` is true."""

    def __init__(self, monkeypatch) -> None:
        self._monkeypatch = monkeypatch
        self.on = True

    def in_compiling(self, code: str) -> None:
        compile_rules = judging.compile_rules
        self._monkeypatch.setattr(
            judging,
            "compile_rules",
            lambda documents, *rest: (
                self.raise_(any(document.product == code for _, document in documents))
                or compile_rules(documents, *rest)
            ),
        )

    def in_judging(self, value: float) -> None:
        judge = judging.judge
        self._monkeypatch.setattr(
            judging,
            "judge",
            lambda state, table, rows: (
                self.raise_(len(table.versions) and value in rows.value) or judge(state, table, rows)
            ),
        )

    def raise_(self, condition: object) -> None:
        if self.on and condition:
            raise KeyError("a fault of the test")
