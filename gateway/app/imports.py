"""What operators bring in: makers' files and rules, each command one transaction."""

from collections.abc import Sequence
from pathlib import Path

from gateway.app.catalog import rule_metrics
from gateway.app.import_files import import_rows
from gateway.core.errors import BadInput
from gateway.registrations import files, service
from gateway.registrations import repository as registrations
from gateway.rules import repository as rules
from gateway.rules.document import RuleDocument, load_rules
from gateway.rules.selftest import run_tests
from gateway.rules.validate import check
from gateway.store import Connection, connect
from gateway.store.wakeup import wake

IMPORTS = ("products", "units", "owners")


def import_files(url: str, what: str, paths: Sequence[Path], *, actor: str) -> list[str]:
    """Import files of one kind, all or nothing; returns lines that say what came of it.

    Raises BadInput with line numbers. Units and owners are imported by a job.
    """
    if what != "products":
        return import_rows(url, what, paths, actor=actor)
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            lines = [_import(connection, path, actor) for path in paths]
        wake(connection)
    return lines


def _import(tx: Connection, path: Path, actor: str) -> str:
    product = files.read_product(path)
    changed = service.import_product(tx, product, actor=actor)
    return f"{path.name}: {product.code} {'imported' if changed else 'is as it was'}"


def apply_rules(url: str, paths: Sequence[Path], *, actor: str, dry: bool = False) -> list[str]:
    """Check rules against the registry and by their own tests, then bring them into force; with `dry`, only check.

    Raises BadInput, naming every problem, and then none of them is applied.
    """
    found = [(path, rule) for path in paths for rule in load_rules(path)]
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            problems = _problems(connection, found)
            if problems:
                raise BadInput("The rules were not applied, none of them:", problems)
            if dry:
                return [f"{rule.id}: sound, {len(rule.tests)} tests pass" for _, rule in found]
            lines = [_activated(rule, rules.activate(connection, rule, actor=actor)) for _, rule in found]
        wake(connection)
    return lines


def _problems(connection: Connection, found: Sequence[tuple[Path, RuleDocument]]) -> list[str]:
    registries = {product.code: rule_metrics(product) for product in registrations.products(connection)}
    problems = []
    first: dict[str, Path] = {}
    for path, rule in found:
        if first.setdefault(rule.id, path) is not path:
            own = [f"id: stands in {first[rule.id].name} already; keep one, or choose another id"]
        elif rule.product not in registries:
            own = [f"product: {rule.product!r} is not here; import its product file first"]
        else:
            metrics = registries[rule.product]
            own = check(rule, metrics) or run_tests(rule, metrics)
        problems += [f"{path.name}: {rule.id}: {problem}" for problem in own]
    return problems


def _activated(rule: RuleDocument, version: int | None) -> str:
    return f"{rule.id}: in force already" if version is None else f"{rule.id}: version {version} is in force"


def retire_rules(url: str, rule_ids: Sequence[str], *, actor: str) -> list[str]:
    """Take rules out of force; their active alarms are cleared with that reason."""
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            gone = [(rule_id, rules.deactivate(connection, rule_id, actor=actor)) for rule_id in rule_ids]
        wake(connection)
    return [f"{rule_id}: {'out of force' if was else 'was not in force'}" for rule_id, was in gone]
