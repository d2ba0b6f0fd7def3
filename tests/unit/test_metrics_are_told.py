"""The names of the metrics: those of the code, of the page for operators and of the dashboard are the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from gateway import flow, metrics
from gateway.ingest import ingest
from gateway.roles import measured
from gateway.store import Trouble

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## Seen from outside") : PAGE.index("## In front of it")]
DASHBOARD = (ROOT / "deploy" / "grafana" / "gateway.json").read_text("utf-8")
PARTS = re.compile(r"_(bucket|sum|count|created)$")


def names() -> set[str]:
    """As Prometheus stores them, without the parts of a histogram."""
    own = {f"{family.name}{'_total' if family.type == 'counter' else ''}" for family in REGISTRY.collect()}
    asked = re.findall(r'"(gateway_\w+)"', Path(measured.__file__).read_text("utf-8"))
    return {name for name in own if name.startswith("gateway_")} | set(asked)


def test_every_metric_stands_in_the_page_for_operators():
    assert names() == set(re.findall(r"`(gateway_\w+)", SECTION))


def test_the_dashboard_asks_for_nothing_that_is_not_there():
    assert {PARTS.sub("", name) for name in re.findall(r"gateway_\w+", DASHBOARD)} <= names()


def test_stages_are_timed_by_the_names_of_the_road():
    timed = re.findall(r'metrics\.stage\("(\w+)"\)', Path(ingest.__file__).read_text("utf-8"))
    assert timed == ["decode", "judge", "store", "acknowledge"]
    assert set(timed) < {stage.name for stage in flow.INGEST}


def test_a_stage_that_breaks_is_timed_too():
    def timed() -> float:
        return REGISTRY.get_sample_value("gateway_stage_seconds_count", {"stage": "judge"}) or 0

    before = timed()
    with pytest.raises(ZeroDivisionError), metrics.stage("judge"):
        _ = 1 / 0
    assert timed() == before + 1


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "gateway-rules.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_alert_rules_ask_for_nothing_that_is_not_there_and_say_what_to_do():
    for rule in rules():
        asked = re.findall(r"gateway_\w+", rule["expr"])
        assert asked
        assert {PARTS.sub("", name) for name in asked} <= names(), rule["alert"]
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_alert_rules_name_troubles_that_there_are():
    (disk,) = [rule for rule in rules() if rule["alert"] == "GatewayDatabaseDiskFull"]
    assert f'trouble="{Trouble.DISK.name.lower()}"' in disk["expr"]
    (cancelled,) = [rule for rule in rules() if rule["alert"] == "GatewayStatementsCancelled"]
    assert f"{Trouble.CANCELLED.name}|{Trouble.LOCK.name}".lower() in cancelled["expr"]


def test_every_alert_rule_stands_in_the_page_for_operators():
    assert {rule["alert"] for rule in rules()} == set(re.findall(r"`(Gateway\w+)`", SECTION))
