"""The staff's list of units against a random fleet: every filter, both orders, few units and many."""

import csv
import io
import itertools

import pytest

from gateway.support.units import lists
from gateway.support.units.lists import Filters, Place, UnitList
from tests.factories.fleet import NOW, Known, make_random_fleet

COUNT = 150
SEED = 20_261_101


@pytest.fixture
def fleet(db) -> list[Known]:
    return make_random_fleet(db, COUNT, SEED)


@pytest.fixture(params=["few", "many"])
def many(request, monkeypatch) -> bool:
    """Whether more units match than are looked at for one page."""
    if request.param == "many":
        monkeypatch.setattr(lists, "LOOKED_AT", 20)
    return request.param == "many"


_INDEXED = (("", None, None, None), ("a_1", None, None, None), ("", "p2", None, None), ("", None, "L3", None))
_INDEXED += (("", "p1", None, "2.2"), ("B", "p1", "L1", None))
_OTHERS = tuple(itertools.product((None, *lists.STATES), (None, True, False)))
FILTERS = [
    Filters(*_INDEXED[place % len(_INDEXED)], *other) for place, other in enumerate((*_OTHERS, None, *_OTHERS)) if other
]
"""Every state, registered or not, each with two of the filters that an index knows."""


def matching(fleet: list[Known], filters: Filters) -> list[Known]:
    return [
        unit
        for unit in fleet
        if unit.serial.startswith(filters.words.upper())
        and filters.product in (None, unit.product)
        and filters.lot in (None, unit.lot)
        and filters.firmware in (None, unit.firmware)
        and (filters.state is None or filters.state in unit.states)
        and filters.registered in (None, unit.registered)
    ]


def all_pages(db, filters: Filters, sort: lists.Sort, limit: int = 15) -> list[int]:
    ids: list[int] = []
    place: Place | None = Place()
    for _ in range(COUNT):
        page, place = UnitList(db, filters, NOW).page(sort, place, limit)
        assert len(page) <= limit
        ids += page
        if place is None:
            return ids
    pytest.fail(f"the pages of {filters} come to no end")


@pytest.mark.parametrize("sort", ["urgent", "serial"])
def test_the_pages_of_a_list_have_every_unit_that_its_filters_let_through_once(db, fleet, many, sort):
    for filters in FILTERS:
        ids = all_pages(db, filters, sort)
        assert sorted(ids) == [unit.id for unit in matching(fleet, filters)], filters


def test_the_urgent_ones_come_first(db, fleet, many):
    urgency = {unit.id: unit.urgency for unit in fleet}
    found = [(urgency[unit], unit) for unit in all_pages(db, Filters(), "urgent")]
    assert found == sorted(found)
    assert {level for level, _ in found} == set(range(1, 8)), "the fleet has units of every state"


def test_by_serial_they_stand_byte_by_byte(db, fleet, many):
    expected = [row["id"] for row in db.execute('SELECT id FROM unit ORDER BY serial COLLATE "C", id')]
    assert all_pages(db, Filters(), "serial") == expected


def test_few_units_are_counted_exactly_and_by_state_whatever_state_is_chosen(db, fleet):
    for filters in FILTERS:
        units, states = UnitList(db, filters, NOW).counts()
        assert (units.number, units.more) == (len(matching(fleet, filters)), False), filters
        for state, count in states.items():
            of_state = Filters(filters.words, filters.product, filters.lot, filters.firmware, state, filters.registered)
            assert (count.number, count.more) == (len(matching(fleet, of_state)), False), of_state


def test_of_many_no_count_is_too_high_and_one_that_may_be_too_low_says_so(db, fleet, monkeypatch):
    monkeypatch.setattr(lists, "LOOKED_AT", 20)
    monkeypatch.setattr(lists, "_COUNTED", 5)
    exact = 0
    for filters in FILTERS:
        units, states = UnitList(db, filters, NOW).counts()
        for count, state in [(units, filters.state), *((count, state) for state, count in states.items())]:
            of_state = Filters(filters.words, filters.product, filters.lot, filters.firmware, state, filters.registered)
            truth = len(matching(fleet, of_state))
            assert count.number == truth or (count.more and count.number < truth), (of_state, count)
            exact += not count.more
    assert exact


def test_a_serial_is_found_as_it_is_printed_and_what_is_none_finds_nothing(db, fleet):
    serial = fleet[0].serial
    for words in (serial, f" {serial[:1].lower()} - {serial[1:]}", serial.lower()):
        assert all_pages(db, Filters(words), "urgent") == [fleet[0].id]
    assert all_pages(db, Filters("Möller"), "urgent") == []
    assert all_pages(db, Filters("A%"), "urgent") == []
    assert all_pages(db, Filters(product="p9"), "urgent") == []


def test_the_list_is_returned_page_by_page_with_its_counts(world, db, monkeypatch):
    now = NOW
    monkeypatch.setattr(type(world), "now", lambda _site: now)
    fleet = make_random_fleet(db, 40, SEED)
    support = world.as_("support")
    first = support.get("/api/units?limit=30&product=p1").json()
    of_p1 = [unit for unit in fleet if unit.product == "p1"]
    assert first["counts"]["units"] == {"number": len(of_p1), "more": False}
    serials = {unit["serial"]: unit["state"] for unit in first["units"]}
    for unit in of_p1:
        said = serials[unit.serial]
        assert said in unit.states or (unit.urgency == 7 and said in ("fine", "unknown")), unit
    assert support.get("/api/units?after=nonsense").status_code == 422
    assert support.get("/api/units?state=broken").status_code == 422


def test_a_saved_list_names_people_only_for_those_who_may_save_their_names(world, db):
    fleet = make_random_fleet(db, 40, SEED)
    saved = {}
    for role in ("support", "administrator"):
        answer = world.as_(role).get("/api/units.csv?registered=yes")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        saved[role] = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert {row["serial"] for row in saved[role]} == {unit.serial for unit in fleet if unit.registered}
    assert "Ada Owner" not in str(saved["support"])
    assert {row["owner"] for row in saved["administrator"]} == {"Ada Owner"}
