"""A recorded series keeps its spacing and its order exactly, or is not sent at all."""

import json
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim import replay
from device_sim.errors import SimError
from device_sim.link import Counts
from device_sim.live import Clock
from device_sim.table import Layout, Row, read_table
from device_sim.times import UTC, iso, parse_moment, parse_zone
from device_sim.units import Unit

UNIT = Unit("ac-24", "AC24-23-002242")
microseconds = st.integers(0, 2 * 10**15)


def layout(*metrics, column=None, time_column="timestamp", zone=UTC, encoding="utf-8-sig"):
    return Layout(metrics or ("motor_temp_c",), column, time_column, zone, encoding)


def table(tmp_path, text, of=None, encoding="utf-8"):
    path = tmp_path / "series.csv"
    path.write_bytes(text.encode(encoding))
    return read_table(path, of or layout())


class AcknowledgingLink:
    """A link that acknowledges at once, and the clock it moves."""

    def __init__(self):
        self.now, self.taken, self.counts, self.outstanding = 0.0, [], Counts(), 0

    def publish(self, topic, payload):
        self.taken.append((self.now, topic, json.loads(payload)))
        self.counts.published += 1
        self.counts.acknowledged += 1

    def pump(self, timeout):
        self.now += timeout

    def drain(self, timeout):
        return 0


def sent(rows, rate):
    taker = AcknowledgingLink()
    clock = Clock(wall=lambda: taker.now, monotonic=lambda: taker.now)
    progress = replay.Progress(len(rows), StringIO(), clock.monotonic, quiet=True)
    replay.send(rows, UNIT, rate=rate, link=taker, clock=clock, stopping=lambda: False, progress=progress)
    return taker


@given(times=st.lists(microseconds, min_size=1), end=microseconds)
def test_a_shift_ends_the_last_row_on_time_and_keeps_every_distance_exactly(times, end):
    shifted = replay.shift([Row(at, {"x": 1.0}) for at in times], end)
    assert shifted[-1].at == end
    assert [row.at - end for row in shifted] == [at - times[-1] for at in times]


@given(at=microseconds)
def test_a_stamp_loses_nothing(at):
    stamp = replay.stamp(at)
    assert isinstance(stamp, int) == (at % 1_000 == 0)
    assert parse_moment(str(stamp)) == at or stamp < 10**11  # small numbers read back as seconds


@given(at=microseconds)
def test_a_time_that_was_printed_reads_back_as_itself(at):
    assert parse_moment(iso(at)) == at


@pytest.mark.parametrize(
    "text",
    [
        "2013-12-02T21:15:00Z",
        "2013-12-02 21:15:00",
        "2013-12-02T22:15:00+01:00",
        "1386018900",
        "1386018900000",
        "1386018900.000",
        " 2013-12-02T21:15:00.000Z ",
    ],
)
def test_the_usual_ways_to_write_a_time_are_one_moment(text):
    assert parse_moment(text) == 1_386_018_900_000_000


def test_a_time_zone_applies_to_times_without_one():
    assert parse_moment("2013-12-02 22:15:00", ZoneInfo("Europe/Berlin")) == 1_386_018_900_000_000
    assert parse_moment("2013-12-02T21:15:00Z", ZoneInfo("Europe/Berlin")) == 1_386_018_900_000_000
    for wrong in ("Mars/Base", "../etc/passwd", ""):
        with pytest.raises(SimError, match="is not a time zone"):
            parse_zone(wrong)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2013-13-02", "nan", "inf", "1e30", "-1e400", "0001-01-01T00:00+14:00"]
)
def test_what_is_not_a_time_is_refused(text):
    with pytest.raises(SimError, match="is not a time"):
        parse_moment(text)


def test_rows_come_in_the_order_of_the_file_with_repeated_and_backward_times(tmp_path):
    rows = table(tmp_path, "timestamp,value\n2013-12-02 03:00:00,1\n2013-12-02 02:00:00,2\n2013-12-02 02:00:00,3\n")
    assert [(row.at - rows[-1].at) // 1_000_000 for row in rows] == [3_600, 0, 0]
    assert [row.values["motor_temp_c"] for row in rows] == [1, 2, 3]
    facts = replay.summarize(rows)
    assert (facts.rows, facts.times, facts.latest == rows[0].at) == (3, 2, True)


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_do_no_harm(tmp_path):
    rows = table(tmp_path, "\ufefftimestamp,value\r\n0,1.5\r\n\r\n60,2\r\n")
    assert rows == [Row(0, {"motor_temp_c": 1.5}), Row(60_000_000, {"motor_temp_c": 2.0})]


def test_several_metrics_come_from_their_columns_and_empty_cells_are_left_out(tmp_path):
    text = "time,a,b\n0,1,2\n1,,3\n2,,\n"
    rows = table(tmp_path, text, layout("flow_temp_c=a", "power_kw=b", time_column="time"))
    assert [row.values for row in rows] == [{"flow_temp_c": 1, "power_kw": 2}, {"power_kw": 3}, {}]
    assert replay.summarize(rows).empty == 1
    assert [message["values"] for _, _, message in sent(rows, 0).taken] == [row.values for row in rows[:2]]


def test_a_metric_finds_its_column_by_option_by_name_or_as_value(tmp_path):
    text = "timestamp,value,motor_temp_c,other\n0,1,2,3\n"
    assert table(tmp_path, text)[0].values == {"motor_temp_c": 2}
    assert table(tmp_path, text, layout(column="other"))[0].values == {"motor_temp_c": 3}
    assert table(tmp_path, text, layout("vibration_mm_s"))[0].values == {"vibration_mm_s": 1}


@pytest.mark.parametrize(
    ("text", "of", "message"),
    [
        ("timestamp,value\n0,1\n1,warm\n", None, "line 3: 'warm' is not a number for motor_temp_c"),
        ("timestamp,value\n0,1\nsoon,2\n", None, "line 3: 'soon' is not a time"),
        ("timestamp,value\n0,1\n\n1\n", None, "line 4: it has 1 cells, the first line 2"),
        ("timestamp,value\n0,1,2\n", None, "line 2: it has 3 cells"),
        ("timestamp,value\n0,NaN\n", None, "line 2: 'NaN' is not a finite number"),
        ('timestamp,value\n0,1\n1,"2\n', None, "line 3: unexpected end of data"),
        ("timestamp,value\n", None, "holds no rows"),
        ("", None, "no column 'timestamp'; the first line names: nothing"),
        ("time,value\n0,1\n", None, "no column 'timestamp' .did you mean 'time'"),
        ("timestamp,value\n0,1\n", layout(column="valu"), "no column 'valu' .did you mean 'value'"),
        ("timestamp,value\n0,1\n", layout("a", "b", column="value"), "--column goes with one --metric"),
        ("timestamp,value\n0,1\n", layout("a", "a=value"), "the metric a is given twice"),
        ("timestamp,value\n0,1\n", layout("=value"), "'=value' is not a metric"),
        ("timestamp,value\n0,1\n", layout(encoding="utf-99"), "unknown encoding: utf-99"),
    ],
)
def test_a_file_that_cannot_be_sent_says_where_and_why(tmp_path, text, of, message):
    with pytest.raises(SimError, match=message):
        table(tmp_path, text, of)


def test_many_bad_lines_are_counted_and_the_first_ones_named(tmp_path):
    with pytest.raises(SimError) as caught:
        table(tmp_path, "timestamp,value\n" + "0,x\n" * 1_000)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("nothing was sent: 1,000 bad lines in ")
    assert [line.strip()[:7] for line in lines[1:]] == [
        "line 2:",
        "line 3:",
        "line 4:",
        "line 5:",
        "line 6:",
        "and 995",
    ]


def test_a_file_in_another_encoding_is_read_when_it_is_named(tmp_path):
    with pytest.raises(SimError, match="cannot read"):
        table(tmp_path, "timestamp,größe\n0,1\n", layout("a=größe"), encoding="latin-1")
    assert table(tmp_path, "timestamp,größe\n0,1\n", layout("a=größe", encoding="latin-1"), encoding="latin-1")


@pytest.mark.parametrize("rate", [10, 500, 3_000])
def test_a_rate_is_kept(rate):
    rows = [Row(second * 1_000_000, {"x": 1.0}) for second in range(2 * rate)]
    taker = sent(rows, rate)
    assert [message["ts"] for _, _, message in taker.taken] == [second * 1_000 for second in range(2 * rate)]
    assert taker.taken[-1][0] == pytest.approx(2, rel=0.06)


def test_progress_in_a_log_is_a_line_every_few_seconds():
    now, stream = [0.0], StringIO()
    progress = replay.Progress(1_000, stream, lambda: now[0], quiet=False)
    for tenth in range(101):
        now[0] = tenth / 10
        progress.show(tenth * 5)
    assert stream.getvalue().splitlines() == [
        " 25%  250 of 1,000 rows, 50/s, 15s left",
        " 50%  500 of 1,000 rows, 50/s, 10s left",
    ]
