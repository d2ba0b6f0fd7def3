"""What `make setup` says while it works."""

import io

import pytest

from tools.setup import LINE_EVERY_S, NpmProgress, PipProgress, Progress, last_line, missing_on_debian, pins

NAMES = {"numpy", "psycopg-binary", "rich"}


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pip(tmp_path):
    return PipProgress(NAMES, tmp_path, lambda: 2)


def test_a_package_counts_once_however_pip_comes_by_it(pip):
    assert pip(["Looking in links: somewhere"]) == "0 of 3"
    assert pip(["Collecting rich==15.0.0 (from -r requirements.txt (line 3))", "  Using cached rich.whl"]) == "1 of 3"
    assert pip(["Processing /wheels/numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl (from -r x)"]) == "2 of 3"
    assert pip(["Requirement already satisfied: rich==15.0.0 in ./lib", "Collecting not-pinned"]) == "2 of 3"
    assert pip(["Collecting psycopg_binary==3.3.9"]) == "3 of 3"


def test_a_large_file_shows_how_much_of_it_is_here(pip, tmp_path):
    here = tmp_path / "pip-unpack-x" / "numpy-2.4.6-cp311.whl"
    assert pip(["Collecting numpy==2.4.6", "  Downloading numpy-2.4.6-cp311.whl (16.6 MB)"]) == (
        "1 of 3, numpy 0.0 of 16.6 MB"
    )
    here.parent.mkdir()
    here.write_bytes(bytes(4_100_000))
    assert pip([]) == "1 of 3, numpy 4.1 of 16.6 MB"
    assert pip(["Collecting rich==15.0.0", "  Downloading https://x.invalid/a/rich-15.0.0.whl (310 kB)"]) == (
        "2 of 3, rich"
    )


def test_after_the_downloads_it_counts_what_is_unpacked(pip):
    assert pip(["Installing collected packages: rich, numpy, psycopg-binary"]) == "unpacking 2 of 3"


def test_npm_counts_what_it_has_fetched_until_vite_builds():
    npm = NpmProgress()
    assert npm([]) == ""
    assert npm(["npm http fetch GET 200 https://x.invalid/vite 12ms (cache miss)", "npm http cache vite 0ms"]) == (
        "npm ci, 2 packages fetched"
    )
    assert npm(["vite v8.0.0 building client environment for production..."]) == "vite build"


def test_the_last_line_that_says_something_is_shown():
    assert last_line(["Get:1 chromium", "Unpacking chromium", " "]) == "Unpacking chromium"
    assert last_line([]) == ""


def test_without_a_terminal_there_is_a_line_at_once_and_a_sign_of_life_now_and_then(clock):
    out = io.StringIO()
    progress = Progress("[1/2] Python packages", out, clock)
    for second in range(25):
        clock.now = second
        progress.show(f"{second} of 30")
    progress.done()
    assert out.getvalue().splitlines() == [
        "[1/2] Python packages…",
        f"[1/2] Python packages: 10 of 30, {LINE_EVERY_S} s",
        f"[1/2] Python packages: 20 of 30, {2 * LINE_EVERY_S} s",
        "[1/2] Python packages: done, 24 s",
    ]


def test_on_a_terminal_one_line_is_written_over(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out = io.StringIO()
    out.isatty = lambda: True
    progress = Progress("[1/1] The pages", out, clock)
    progress.show("a detail that is longer than the terminal is wide")
    progress.done()
    *shown, last = out.getvalue().split("\r\033[K")
    assert all("\n" not in each and len(each) < 40 for each in shown)
    assert (len(shown), last) == (3, "[1/1] The pages: done, 0 s\n")


def test_the_pins_are_the_lines_with_a_version():
    assert pins("rich==15.0.0 \\\n    --hash=sha256:0a\n    # via x==1\nnumpy==2.4.6\n") == {
        "rich": "15.0.0",
        "numpy": "2.4.6",
    }


def test_a_debian_package_that_is_there_by_half_is_missing(tmp_path, monkeypatch):
    """Its program may be there already, without the libraries that it needs."""
    query = tmp_path / "dpkg-query"
    states = "chromium unpacked\nmosquitto-clients installed\nmosquitto half-configured"
    query.write_text(f"#!/bin/sh\necho '{states}'\n")
    for program in ("chromium", "mosquitto", "mosquitto_sub"):
        (tmp_path / program).write_text("#!/bin/sh\n")
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert set(missing_on_debian()) - {"postgresql"} == {"mosquitto", "chromium"}
    query.unlink()
    assert set(missing_on_debian()) - {"postgresql"} == set()
