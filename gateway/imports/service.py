"""Imports by the operator: makers' files and rules, each command one transaction."""

from collections.abc import Sequence
from pathlib import Path

from gateway.core.clock import Clock
from gateway.core.errors import BadInput
from gateway.imports import catalog_changes
from gateway.imports.rows import import_rows
from gateway.rules import repository as rules
from gateway.store import connect
from gateway.store.wakeup import wake

IMPORTS = ("products", "units", "owners")


def import_files(
    url: str,
    what: str,
    paths: Sequence[Path],
    *,
    actor: str,
    rule_files: Sequence[Path] = (),
    retire_rules: bool = False,
) -> list[str]:
    """Import files of one kind, all or nothing; returns lines with the results. Raises BadInput with line numbers.

    With products come the rules of `rule_files`; `retire_rules` takes those out of force that no longer fit. Units and
    owners are imported by a job.
    """
    rule_documents = catalog_changes.read_rules(rule_files)
    if what != "products":
        if rule_documents or retire_rules:
            raise BadInput("Rules go with product files only: leave out --rules and --retire-rules.")
        return import_rows(url, what, paths, actor=actor)
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            lines = catalog_changes.import_products(connection, paths, rule_documents, retire=retire_rules, actor=actor)
        wake(connection)
    return lines


def apply_rules(url: str, paths: Sequence[Path], *, actor: str, dry: bool = False) -> list[str]:
    """Check rules against the registry and by their own tests, then bring them into force; with `dry`, only check.

    Raises BadInput, naming every problem, and then none of them is applied.
    """
    files = catalog_changes.read_rules(paths)
    with connect(url, "gateway-import") as connection:
        if dry:
            if problems := catalog_changes.rule_problems(connection, files):
                raise BadInput("The rules were not applied, none of them:", problems)
            return [f"{rule.id}: sound, {len(rule.tests)} tests pass" for _, rule in files]
        with connection.transaction():
            lines = catalog_changes.apply(connection, files, actor=actor)
        wake(connection)
    return lines


def retire_rules(url: str, rule_ids: Sequence[str], *, actor: str) -> list[str]:
    """Take rules out of force; their active alarms are cleared with that reason."""
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            results = [(rule_id, rules.deactivate(connection, rule_id, actor=actor)) for rule_id in rule_ids]
        wake(connection)
    return [f"{rule_id}: {'out of force' if retired else 'was not in force'}" for rule_id, retired in results]


def resume_products(url: str, products: Sequence[str], *, actor: str, forget_state: bool, clock: Clock) -> list[str]:
    """Have ingest try suspended products again, by their codes. Raises BadInput for one that is not suspended."""
    with connect(url, "gateway-import") as connection:
        with connection.transaction():
            lines = catalog_changes.resume(connection, products, actor=actor, forget_state=forget_state, now=clock())
        wake(connection)
    return lines
