"""The published schemas are what the models say, and say of a payload what the gateway says of it."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import main
from gateway.contract import schemas as contract
from gateway.m2m.decoders import decode
from gateway.m2m.device import Device, DeviceMetric, Limits
from gateway.m2m.message import Message
from tests.factories import HOT, PUMP

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "gateway" / "demo" / "data"
NOW_MS = 1_782_907_200_000
ROOMY = Limits(payload_bytes=10**6, readings=10**6, ahead_us=600_000_000, behind_us=400 * 86_400_000_000)
DEVICE = Device(1, 1, {"temp_c": DeviceMetric(1, -40, 200), "pressure_bar": DeviceMetric(2, 0, 10)})


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


RULE, PRODUCT, READING, STATUS = (
    validator(name)
    for name in ("rule.schema.json", "product.schema.json", "telemetry/reading.schema.json", "status.schema.json")
)


def rules_in(text: str) -> list[dict]:
    return list(yaml.safe_load_all(text))


# -- The files ------------------------------------------------------------------------------------------------


def test_the_files_in_the_repository_are_what_the_models_say():
    assert contract.outdated(ROOT / "schemas", ROOT / "docs") == []


def test_the_same_models_give_the_same_bytes_with_sorted_keys_and_a_trailing_newline():
    first = contract.documents()
    assert first == contract.documents()
    for text in first.values():
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_written_files_are_in_order_and_a_changed_or_missing_one_is_named(tmp_path, capsys):
    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as end:
            main(["schemas", "--dir", str(tmp_path), "--docs", str(tmp_path / "docs"), *arguments])
        return end.value.code or 0

    assert run("--check") == 1
    told = capsys.readouterr().err
    assert (told.count(".json"), told.count("configuration.md")) == (len(contract.documents()), 1)
    assert run() == 0
    assert run("--check") == 0
    (tmp_path / "openapi.json").unlink()
    (tmp_path / "rule.schema.json").write_text("{}")
    (tmp_path / "docs" / "configuration.md").write_text("# Settings, as somebody likes them\n")
    capsys.readouterr()
    assert run("--check") == 1
    told = capsys.readouterr().err
    assert "openapi.json" in told
    assert "rule.schema.json" in told
    assert "configuration.md" in told
    assert "product.schema.json" not in told
    assert not (tmp_path / "openapi.json").exists(), "a check writes nothing"


def test_no_setting_of_this_machine_gets_into_the_files(monkeypatch):
    before = contract.documents()
    monkeypatch.setenv("GATEWAY_HTTP_PORT", "9999")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    assert contract.documents() == before


def test_openapi_names_the_routes_and_their_models():
    document = json.loads(contract.documents()["openapi.json"])
    assert document["openapi"].startswith("3.1")
    assert "/readyz" in document["paths"]
    assert "Notice" in document["components"]["schemas"]


# -- Rules and products ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((DEMO / "rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_demos_rules_are_valid(path: Path):
    rules = rules_in(path.read_text())
    assert rules
    for rule in rules:
        RULE.validate(rule)


@pytest.mark.parametrize("path", sorted((DEMO / "products").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_demos_products_are_valid(path: Path):
    PRODUCT.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "grave"},
        {"audience": []},
        {"audience": ["neighbour"]},
        {"sevrity": "warning"},
        {"id": "Pump Hot"},
        {"title": {"de": "ohne Englisch"}},
        {"title": {"en": "Hot", "english": "Hot"}},
        {"condition": {"kind": "threshold", "metric": "temp_c"}},
        {"condition": {"kind": "eval", "metric": "temp_c", "unit": "°C", "above": 90}},
        {"condition": {"kind": "threshold", "metric": "temp_c", "unit": "°C", "above": "hot"}},
        {"text": {"en": {"title": "No body"}}},
    ],
)
def test_a_rule_that_is_refused_is_invalid(change):
    (rule,) = rules_in(HOT % {"for": "0s", "severity": "warning", "audience": "owner", "raised": "3s"})
    RULE.validate(rule)
    assert not RULE.is_valid(rule | change)


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": []},
        {"code": "Pump 1"},
        {"gtin": "12"},
        {"colour": "red"},
        {"metrics": [PUMP["metrics"][0] | {"range": [0]}]},
        {"metrics": [PUMP["metrics"][0] | {"name": "Temp C"}]},
        {"metrics": [{"name": "temp_c"}]},
        {"receipts": "often"},
    ],
)
def test_a_product_that_is_refused_is_invalid(change):
    PRODUCT.validate(PUMP)
    PRODUCT.validate(PUMP | {"receipts": True})
    assert not PRODUCT.is_valid(PUMP | change)


# -- Telemetry ------------------------------------------------------------------------------------------------


def reasons(payload: bytes) -> str:
    """The reason a payload is refused for, or none."""
    message = Message("m2m/v1/pump/P1/telemetry", payload, 1, 1, resumed=False, received_us=NOW_MS * 1000)
    refused = decode(message, DEVICE, ROOMY).rejected
    return refused.reason if refused else ""


def entry(**changes: object) -> dict[str, object]:
    return {"ts": NOW_MS, "values": {"temp_c": 71.5}} | changes


@pytest.mark.parametrize(
    "content",
    [
        entry(),
        entry(ts=NOW_MS - 0.5),
        entry(ts="2026-07-01T12:00:00Z"),
        entry(ts="2026-07-01T14:00:00.123456+02:00"),
        entry(ts=None),
        {"values": {"temp_c": -40, "pressure_bar": 10}},
        [entry(ts=NOW_MS - 1), {"values": {"temp_c": 20}}],
        entry(ts="2026-07-01 12:00:00z"),
        entry(ts="2026-06-30t23:59:60Z"),
        entry(firmware="1.2"),
        entry(seq=17, boot=3, **{"from": 9}),
        entry(seq=None, boot=None, **{"from": None}),
    ],
)
def test_what_the_gateway_takes_is_valid(content):
    assert reasons(json.dumps(content).encode()) == ""
    READING.validate(content)


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        71.5,
        "71.5",
        {"temp_c": 71.5},
        [[entry()]],
        entry(values={}),
        entry(values=[1]),
        entry(values={"temp_c": "hot"}),
        entry(values={"temp_c": True}),
        entry(values={"temp_c": None}),
        entry(values={"Temp": 1}),
        entry(ts="yesterday"),
        entry(ts="2026-07-01T12:00:00"),
        entry(ts="2026-07-01"),
        entry(ts="2026-13-01T12:00:00Z"),
        entry(ts="2026-07-01T24:00:00Z"),
        entry(ts="2026-W27-3T12:00:00Z"),
        entry(ts="20260701T120000Z"),
        entry(ts="2026-07-01T12:00Z"),
        entry(ts=True),
        entry(ts={}),
        entry(ts=NOW_MS // 1000),
        entry(ts=NOW_MS * 1000),
        entry(ts=-1),
        [entry(), entry(ts="?")],
    ],
)
def test_what_the_gateway_refuses_is_invalid_where_a_schema_can_say_so(content):
    assert reasons(json.dumps(content).encode()) != ""
    assert not READING.is_valid(content)


@pytest.mark.parametrize(
    "fields",
    [{"seq": 0}, {"seq": 2**53}, {"seq": "1"}, {"seq": 1, "boot": -1}, {"seq": 9, "boot": 1.5}, {"seq": 1, "from": 0}],
)
def test_a_wrong_number_is_invalid_and_refused_where_the_product_asks_for_receipts(fields):
    message = Message("m2m/v1/pump/P1/telemetry", json.dumps(entry(**fields)).encode(), 1, 1, False, NOW_MS * 1000)
    _, numbers, refused, *_ = decode(message, replace(DEVICE, receipts=True), ROOMY)
    assert (numbers, refused and refused.reason) == ([], "bad_seq")
    assert not READING.is_valid(entry(**fields))


KNOWN_ONLY_AT_RUN_TIME = {"unknown_metric", "out_of_range", "future_time", "too_old", "no_time", "same_time"}
"""A schema knows no product and no clock, and compares no two entries."""

numbers = st.floats(-100, 300) | st.integers(-100, 300)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=4)
times = (
    st.integers(NOW_MS - 10**8, NOW_MS + 10**7)
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.datetimes().map(lambda moment: moment.isoformat() + "-05:30")
    | st.datetimes().map(lambda moment: moment.isoformat())
    | scalars
)
names = st.sampled_from(["temp_c", "pressure_bar", "x", "Bad Name"])
entries = st.fixed_dictionaries({}, optional={"ts": times, "values": st.dictionaries(names, scalars, max_size=3)})


@given(st.one_of(entries, st.lists(entries | scalars, max_size=3), scalars))
def test_the_schema_and_the_decoder_agree(content):
    """Whatever the gateway takes whole is valid; whatever is valid fails only for what no schema can know."""
    reason = reasons(json.dumps(content).encode())
    if READING.is_valid(content):
        assert reason in KNOWN_ONLY_AT_RUN_TIME | {""}
    else:
        assert reason != ""


# -- Status ---------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=42)


@given(st.fixed_dictionaries({}, optional={"state": scalars, "firmware": scalars | texts}) | scalars | st.just([]))
def test_the_schema_of_a_status_and_its_decoder_agree(content):
    """But for characters that cannot be shown: which those are is more than a schema can say."""
    message = Message("m2m/v1/pump/P1/status", json.dumps(content).encode(), 1, 1, resumed=False, received_us=0)
    refused = decode(message, DEVICE, ROOMY).rejected
    if STATUS.is_valid(content):
        assert not refused or not content["firmware"].isprintable()
    else:
        assert refused
