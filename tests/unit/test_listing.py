"""What the staff's lists share: places between pages, and cells of a saved file."""

import csv
from contextlib import nullcontext
from io import StringIO

import anyio
import pytest

from gateway.api.listing import as_csv, next_place, place_of, read_place
from gateway.core.errors import BadInput


def test_a_place_is_read_as_it_was_made():
    row = {"rank": 2, "title": "Ü", "id": 7}
    assert read_place(place_of(row, "rank", "title", "id"), 3) == [2, "Ü", 7]


def test_the_first_page_has_no_place_and_the_last_one_no_next():
    assert read_place("", 2) is None
    assert next_place([{"id": 1}], 2, "id") is None
    assert next_place([], 2, "id") is None
    assert read_place(next_place([{"id": 1}, {"id": 2}], 2, "id"), 1) == [2]


@pytest.mark.parametrize("text", ["x", "e30", "WzFd=", "WzEsMl0", "é"])
def test_what_no_page_returned_is_refused(text):
    with pytest.raises(BadInput, match="not a place"):
        read_place(text, 3)


def test_a_saved_list_has_every_page_and_no_cell_is_a_formula():
    class Pages:
        def read(self):
            return nullcontext()

    pages = {"": ([["a", "=1+1"], ["b", None]], "2"), "2": ([['c "quoted"', 3]], None)}
    response = as_csv(Pages(), "things", ["name", "value"], lambda _connection, place, _limit: pages[place])

    async def whole() -> str:
        return "".join([part async for part in response.body_iterator])

    text = anyio.run(whole)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))
    assert rows == [["name", "value"], ["a", "'=1+1"], ["b", ""], ['c "quoted"', "3"]]
