"""Changes of the product catalog by product files and rules; each change is made as a whole, or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from gateway import catalog
from gateway.catalog import repository as catalog_state
from gateway.core.errors import BadInput, Unavailable
from gateway.ingest.devices import rule_metrics
from gateway.registrations import files, service
from gateway.registrations import repository as registrations
from gateway.rules import repository as rules
from gateway.rules.document import RuleDocument, load_rules
from gateway.rules.registry import Metric
from gateway.rules.selftest import run_tests
from gateway.rules.validate import check
from gateway.store import Connection, Row

_BREAKS = (
    "The products were not imported, none of them: rules in force would no longer fit. Bring the changed rules along"
    " with --rules FILE, or take these rules out of force in the same step with --retire-rules:"
)

RuleFiles = Sequence[tuple[Path, RuleDocument]]


def read_rules(paths: Iterable[Path]) -> RuleFiles:
    """The rules of these files; raises BadInput that names every problem of the first faulty file."""
    return [(path, rule) for path in paths for rule in load_rules(path)]


def import_products(
    tx: Connection, paths: Sequence[Path], rule_files: RuleFiles, *, retire: bool, actor: str
) -> list[str]:
    """Import product files, and rules with them; returns a line for each.

    Raises BadInput, naming each rule in force that would not fit any more; with `retire` those go out of force.
    """
    products = [(path, files.read_product(path)) for path in paths]
    pictures = [files.read_picture_of(path, product) for path, product in products]
    catalog.lock(tx)
    is_changed = {
        product.code: service.import_product(tx, product, picture, actor=actor)
        for (_, product), picture in zip(products, pictures, strict=True)
    }
    lines = [
        f"{path.name}: {product.code} {'imported' if is_changed[product.code] else 'is as it was'}"
        for path, product in products
    ]
    lines += apply(tx, rule_files, actor=actor, others=False)
    codes = {code for code, changed in is_changed.items() if changed} | {rule.product for _, rule in rule_files}
    broken = _broken_rules(tx, codes)
    if broken and not retire:
        raise BadInput(_BREAKS, [problem for problems in broken.values() for problem in problems])
    return lines + _retire(tx, broken, actor)


def apply(tx: Connection, files: RuleFiles, *, actor: str, others: bool = True) -> list[str]:
    """Bring rules into force. Raises BadInput that names every problem; then none of the rules is in force.

    The other rules in force for their products are checked too, unless `others` is false: then the caller checks.
    """
    catalog.lock(tx)
    problems = rule_problems(tx, files, others=others)
    if problems:
        raise BadInput("The rules were not applied, none of them:", problems)
    return [_activation_line(rule, rules.activate(tx, rule, actor=actor)) for _, rule in files]


def resume(tx: Connection, products: Sequence[str], *, actor: str, forget_state: bool, now: datetime) -> list[str]:
    """Have ingest try suspended products again, by their codes; with `forget_state`, without the state of their rules.

    Raises BadInput for a product that is not suspended.
    """
    catalog.lock(tx)
    suspended = {suspension.product: suspension.product_id for suspension in catalog_state.suspensions(tx)}
    for code in products:
        if code not in suspended:
            names = ", ".join(suspended) or "none is"
            raise BadInput(f"{code} is not suspended; suspended: {names}.")
        if forget_state:
            rules.clear_product(tx, suspended[code], now)
            catalog_state.forget_state(tx, suspended[code])
        catalog.revise(tx, code, actor=actor, what=f"{code} is tried again")
    return [f"{code}: ingest tries it again" for code in products]


def rule_problems(connection: Connection, files: RuleFiles, *, others: bool = True) -> list[str]:
    """Returns the problems that keep rules from being applied: in them, and in others in force for their products."""
    registries = _registries(connection)
    problems = []
    first: dict[str, Path] = {}
    for path, rule in files:
        if first.setdefault(rule.id, path) is not path:
            problems_of_rule = [f"id: stands in {first[rule.id].name} already; keep one, or choose another id"]
        elif rule.product not in registries:
            problems_of_rule = [f"product: {rule.product!r} is not here; import its product file first"]
        else:
            metrics = registries[rule.product]
            problems_of_rule = check(rule, metrics) or run_tests(rule, metrics)
        problems += [f"{path.name}: {rule.id}: {problem}" for problem in problems_of_rule]
    if not others:
        return problems
    broken = _broken_rules(connection, {rule.product for _, rule in files})
    return problems + [
        f"{problem} (in force already: apply it corrected, or retire it first)"
        for rule_id, problems_of_rule in broken.items()
        if rule_id not in first
        for problem in problems_of_rule
    ]


def _broken_rules(connection: Connection, products: Iterable[str]) -> dict[str, list[str]]:
    """The rules in force for these products that are not sound, with their problems."""
    registries = _registries(connection)
    broken = {}
    for row in rules.in_force_of(connection, products):
        problems = _problems_of(row, registries[row["product"]])
        if problems:
            broken[str(row["rule_id"])] = [f"{row['rule_id']}: {problem}" for problem in problems]
    return broken


def _problems_of(row: Row, metrics: dict[str, Metric]) -> list[str]:
    try:
        rule = rules.read_version({name: row[name] for name in row if name != "product"}).document
    except (ValueError, Unavailable):
        return ["its document cannot be read by this version; apply it anew, or retire it"]
    return check(rule, metrics) or run_tests(rule, metrics)


def _registries(connection: Connection) -> dict[str, dict[str, Metric]]:
    return {product.code: rule_metrics(product) for product in registrations.products(connection)}


def _retire(tx: Connection, rule_ids: Iterable[str], actor: str) -> list[str]:
    return [f"{rule_id}: out of force" for rule_id in rule_ids if rules.deactivate(tx, rule_id, actor=actor)]


def _activation_line(rule: RuleDocument, version: int | None) -> str:
    return f"{rule.id}: in force already" if version is None else f"{rule.id}: version {version} is in force"
