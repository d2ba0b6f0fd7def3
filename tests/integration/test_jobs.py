"""Jobs: whoever runs one may be killed, it may be cancelled until it takes effect, and nobody waits for it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from gateway.cli import main
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.errors import BadInput, NotFound, Unavailable
from gateway.events import append
from gateway.imports import jobs as app_jobs
from gateway.imports import rows as import_files
from gateway.imports.rows import Cancelled, import_rows
from gateway.jobs import repository as jobs
from gateway.jobs.lease import LeaseLost
from gateway.jobs.model import Step
from gateway.jobs.runner import ATTEMPTS_MAX, Runner, new_owner
from gateway.registrations.claims import Claimant, Claimed, release
from gateway.roles.maintenance import forget_old
from gateway.roles.worker import Worker
from gateway.store import connect
from gateway.store.locks import Lock, lock_session
from tests.dsl.owners import try_claim
from tests.dsl.wait import until
from tests.factories import make_fleet


@pytest.fixture
def fleet(url, tmp_path) -> Path:
    """Three units of Ada's, and a file that makes them Bob's and brings two more."""
    make_fleet(url)
    units = tmp_path / "units.csv"
    units.write_text("product,serial,lot\n" + "".join(f"pump,P{n},L9\n" for n in range(1, 6)))
    owners = tmp_path / "owners.csv"
    rows = "".join(f"Bob,bob@example.org,pump/P{n},2025-01-01T00:00:00Z\n" for n in (1, 2, 3))
    owners.write_text("person,email,unit,since\n" + rows)
    return tmp_path


def state(db) -> dict[str, object]:
    return db.execute("SELECT * FROM job ORDER BY id DESC LIMIT 1").fetchone()


def lots(db) -> set[str | None]:
    return {row["lot"] for row in db.execute("SELECT lot FROM unit")}


def owners(db) -> set[str]:
    rows = db.execute("SELECT p.name FROM ownership o JOIN person p ON p.id = o.person_id WHERE upper_inf(o.during)")
    return {row["name"] for row in rows}


def is_staged(db) -> bool:
    tables = ("import_unit", "import_owner", "import_change")
    return any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables)


def let_the_lease_run_out(db) -> None:
    db.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE NOT is_tidy")


def take_up(url: str, db) -> bool:
    """As a worker does."""
    return Runner(db, app_jobs.kinds(), system_clock, new_owner(), url).run_next()


def once_in_phase(phase: str, act: Callable[[], object]) -> Callable[[str, int, int | None], None]:
    """Do something once, when an import is in a phase and has done all of it, and committed nothing yet."""
    acts = [act]

    def show(now: str, done: int, total: int | None) -> None:
        if now == phase and done and total in {None, done} and acts:
            acts.pop()()

    return show


@contextmanager
def command(url: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, as an operator runs it."""
    environment = os.environ | {"GATEWAY_DATABASE_URL": url}
    process = subprocess.Popen([sys.executable, "-m", "gateway", *arguments], env=environment, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class TestKilled:
    def test_a_command_that_was_killed_behind_the_staging_is_finished_by_a_worker(self, url, db, fleet, database):
        with connect(url, "test") as other, command(url, "import", "units", str(fleet / "units.csv")) as process:
            lock_session(other, Lock.IMPORT)  # another import is putting its rows into force
            until(lambda: (state(db) or {"phase": ""})["phase"] == "apply")
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert lots(db) == {None}
        assert not take_up(url, db), "its lease still runs"
        let_the_lease_run_out(db)
        stop = threading.Event()
        worker = threading.Thread(target=Worker(Settings(), database, system_clock).run, args=[stop])
        worker.start()
        try:
            until(lambda: state(db)["is_tidy"])
        finally:
            stop.set()
            worker.join()
        assert (lots(db), state(db)["state"], is_staged(db)) == ({"L9"}, "done", False)
        assert state(db)["result"] == {"rows": 5, "created": 2, "changed": 3, "reported": 0}

    def test_a_command_that_was_killed_while_it_read_has_changed_nothing_and_the_job_says_so(self, url, db, tmp_path):
        make_fleet(url)
        os.mkfifo(pipe := tmp_path / "units.csv")
        with command(url, "import", "units", str(pipe)) as process, pipe.open("w") as writing:
            writing.write("product,serial,lot\n" + "".join(f"pump,Q{n},L9\n" for n in range(15_000)))
            writing.flush()
            until(lambda: (state(db) or {"done": 0})["done"])
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert is_staged(db)
        let_the_lease_run_out(db)
        assert take_up(url, db)
        assert state(db)["state"] == "failed"
        assert "ended before it had read its files. Nothing was changed" in state(db)["error"]
        let_the_lease_run_out(db)
        assert take_up(url, db)
        assert (state(db)["is_tidy"], is_staged(db), lots(db)) == (True, False, {None})

    def test_what_follows_from_an_import_is_done_by_a_worker_when_its_command_ends(self, url, db, fleet):
        """The owners are in force: to cancel then would leave somebody untold."""

        def interrupt(phase: str, _done: int, _total: int | None) -> None:
            if phase == "follow":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_rows(url, "owners", [fleet / "owners.csv"], actor="maker", show=interrupt)
        assert (owners(db), state(db)["state"], state(db)["phase"]) == ({"Bob"}, "running", "follow")
        assert "is not cancelled" in app_jobs.cancel(url, state(db)["public_id"])
        assert take_up(url, db)
        assert (state(db)["state"], owners(db), is_staged(db)) == ("done", {"Bob"}, False)

    def test_a_worker_that_is_to_end_leaves_its_job_to_the_next_one_at_once(self, url, db, fleet):
        def interrupt(phase: str, _done: int, _total: int | None) -> None:
            if phase == "check":
                raise LeaseLost  # the command is gone

        with pytest.raises(Unavailable):
            import_rows(url, "units", [fleet / "units.csv"], actor="maker", show=interrupt)
        let_the_lease_run_out(db)
        stopped: list[bool] = []
        worker = Runner(
            db,
            app_jobs.kinds(),
            system_clock,
            new_owner(),
            url,
            stop=lambda: bool(stopped),
            show=once_in_phase("apply", lambda: stopped.append(True)),
        )
        assert worker.run_next()
        assert (lots(db), state(db)["state"], state(db)["phase"]) == ({None}, "running", "apply")
        assert take_up(url, db)
        assert (lots(db), state(db)["state"]) == ({"L9"}, "done")

    def test_a_process_that_lost_its_job_commits_nothing_of_its_turn(self, url, db, fleet):
        """It slept, another took the job up: what it still does is rolled back."""

        def lose() -> None:
            db.execute("UPDATE job SET lease_owner = 'another', lease_until = now() + interval '1 minute'")

        with pytest.raises(Unavailable, match="is not imported yet"):
            import_rows(url, "units", [fleet / "units.csv"], actor="maker", show=once_in_phase("apply", lose))
        assert (lots(db), state(db)["state"], state(db)["lease_owner"]) == ({None}, "running", "another")
        let_the_lease_run_out(db)
        assert take_up(url, db)
        assert lots(db) == {"L9"}


class TestCancelled:
    @pytest.mark.parametrize("phase", ["upload", "apply"])
    def test_before_it_takes_effect_nothing_is_changed_and_nothing_left(self, url, db, fleet, phase):
        show = once_in_phase(phase, lambda: app_jobs.cancel(url, state(db)["public_id"]))
        before = db.execute("SELECT count(*) AS n FROM event").fetchone()
        with pytest.raises(Cancelled, match="cancelled, and nothing was changed"):
            import_rows(url, "units", [fleet / "units.csv"], actor="maker", show=show)
        assert (lots(db), state(db)["state"], is_staged(db)) == ({None}, "cancelled", False)
        assert db.execute("SELECT count(*) AS n FROM event").fetchone() == before
        with pytest.raises(NotFound, match="is cancelled: there is nothing to cancel"):
            app_jobs.cancel(url, state(db)["public_id"])

    def test_ctrl_c_is_such_a_wish(self, url, db, fleet):
        with connect(url, "test") as other, command(url, "import", "owners", str(fleet / "owners.csv")) as process:
            lock_session(other, Lock.IMPORT)
            until(lambda: (state(db) or {"phase": ""})["phase"] == "apply")
            until(
                lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND objid = %s", [Lock.IMPORT]).fetchone()
            )
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
        assert (owners(db), state(db)["state"], is_staged(db)) == ({"Ada"}, "cancelled", False)

    def test_a_job_that_is_not_there_cannot_be(self, url):
        with pytest.raises(NotFound, match="There is no job xyz; `gateway jobs list` names those there are"):
            app_jobs.cancel(url, "xyz")


class FailingJob:
    """A kind of job whose turns fail."""

    name = "broken"
    settled = frozenset({"after"})

    def __init__(self, error: Exception) -> None:
        self.error = error

    def turn(self, tx, turn):
        if turn.job.phase == "upload":
            return Step("before")
        raise self.error

    def tidy(self, tx, job_id, limit):
        return True


class TestThatBreaks:
    def run(self, db, error: Exception, phase: str = "before"):
        owner = new_owner()
        job = jobs.create(db, "broken", {}, actor="test", owner=owner)
        return Runner(db, {"broken": FailingJob(error)}, system_clock, owner).run(replace(job, phase=phase))

    def test_before_it_takes_effect_it_has_failed(self, db):
        assert self.run(db, RuntimeError("boom")).state == "failed"
        assert "boom" in state(db)["error"]

    def test_afterwards_it_is_tried_again_later(self, db):
        assert self.run(db, RuntimeError("boom"), "after").state == "running"
        assert (state(db)["state"], state(db)["error"]) == ("running", "RuntimeError('boom')")
        left = db.execute("SELECT lease_owner, lease_until > now() AS waits FROM job").fetchone()
        assert left == {"lease_owner": None, "waits": True}

    def test_again_and_again_it_has_failed(self, db):
        owner = new_owner()
        jobs.create(db, "broken", {}, actor="test", owner=owner)
        db.execute("UPDATE job SET phase = 'before', attempts = %s", [ATTEMPTS_MAX])
        let_the_lease_run_out(db)
        assert Runner(db, {"broken": FailingJob(RuntimeError())}, system_clock, owner).run_next()
        assert (state(db)["state"], state(db)["error"]) == ("failed", "It was tried 5 times (its process ended).")


def test_nobody_waits_for_an_import_that_is_being_put_into_force(url, db, fleet):
    """What ingest and notify write about the same units and people, while the import's transaction is open."""
    import_rows(url, "units", [fleet / "units.csv"], actor="maker")
    (fleet / "again.csv").write_text("product,serial,lot\n" + "".join(f"pump,P{n},L10\n" for n in range(1, 6)))
    people = fleet / "owners.csv"
    people.write_text(people.read_text() + "Ada B.,ada@example.org,pump/P4,2025-01-01T00:00:00Z\n")
    written: list[str] = []

    def write(name: str) -> None:
        with connect(url, "test") as other, other.transaction():
            other.execute("SET LOCAL lock_timeout = '200ms'")
            other.execute(
                "INSERT INTO rule_version (rule_id, version, product_id, document, digest, active)"
                " SELECT %s, 1, id, '{}', '', false FROM product",
                [name],
            )
            other.execute(
                "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at,"
                " historic, evidence) SELECT %s || u.id, v.id, u.id, 'warning', now(), now(), now(), false, '{}'"
                " FROM unit u CROSS JOIN rule_version v WHERE v.rule_id = %s",
                [name, name],
            )
            other.execute(
                "INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at,"
                " updated_at) SELECT %s || p.id || '-' || u.id, p.id, u.id, 'hot', 'warning', 'open', '{}', '{}',"
                " now(), now() FROM person p CROSS JOIN unit u",
                [name],
            )
            append(other, "alarm.raised", {"alarm": name})
            rows = other.execute("SELECT count(*) AS n FROM alarm").fetchone()
        written.append(f"{name} {rows['n']}")

    import_rows(url, "units", [fleet / "again.csv"], actor="maker", show=once_in_phase("apply", lambda: write("units")))
    import_rows(url, "owners", [people], actor="maker", show=once_in_phase("apply", lambda: write("owners")))
    assert written == ["units 5", "owners 10"]
    assert (lots(db), owners(db)) == ({"L10"}, {"Ada B.", "Bob"})


def test_five_hundred_rows_are_one_event(url, db, tmp_path):
    make_fleet(url)
    (units := tmp_path / "units.csv").write_text("product,serial\n" + "".join(f"pump,Q{n}\n" for n in range(500)))
    (file := tmp_path / "owners.csv").write_text(
        "person,email,unit,since\n"
        + "".join(f"O{n},o{n}@example.org,pump/Q{n},2024-01-01T00:00:00Z\n" for n in range(500))
    )
    place = db.execute("SELECT max(id) AS id FROM event").fetchone()
    import_rows(url, "units", [units], actor="maker")
    import_rows(url, "owners", [file], actor="maker")
    rows = db.execute("SELECT kind, data FROM event WHERE id > %s ORDER BY id", [place["id"]]).fetchall()
    assert [(row["kind"], row["data"]["rows"]) for row in rows] == [("units.imported", 500), ("owners.imported", 500)]
    assert rows[1]["data"]["began"] == rows[1]["data"]["people_created"] == 500


def test_a_claim_that_comes_between_is_no_error_of_its_own(url, db, fleet):
    """Somebody registers a unit after the check: the import names the line, and changes nothing."""
    (fleet / "late.csv").write_text("person,email,unit,since\nBob,bob@example.org,pump/P9,2025-01-01T00:00:00Z\n")
    db.execute("INSERT INTO unit (public_id, product_id, serial, printed) SELECT 'p9', id, 'P9', 'P9' FROM product")

    def claim() -> None:
        db.execute(
            "INSERT INTO ownership (unit_id, person_id, during, how) SELECT u.id, p.id, tstzrange('2025-06-01', NULL),"
            " 'claim' FROM unit u CROSS JOIN person p WHERE u.serial = 'P9' AND p.name = 'Ada'"
        )

    phases: list[str] = []

    def show(phase: str, _done: int, _total: int | None) -> None:
        phases.append(phase)
        if phases.count("apply") == 1 and phase == "apply":
            claim()

    with pytest.raises(BadInput, match=r"line 2: since: pump/P9 has an owner from 2025-06-01 on already"):
        import_rows(url, "owners", [fleet / "late.csv"], actor="maker", show=show)
    assert (owners(db), state(db)["state"], is_staged(db)) == ({"Ada"}, "failed", False)
    assert db.execute("SELECT FROM person WHERE name = 'Bob'").fetchone() is None


def test_jobs_are_listed_and_forgotten_after_a_while(url, db, fleet):
    db.execute("DELETE FROM job")
    assert app_jobs.newest_lines(url) == ["There are no jobs."]
    import_rows(url, "units", [fleet / "units.csv"], actor="maker")
    (fleet / "bad.csv").write_text("product,serial\nboat,B1\n")
    with pytest.raises(BadInput):
        import_rows(url, "units", [fleet / "bad.csv"], actor="maker")
    lines = app_jobs.newest_lines(url)
    assert "import units bad.csv (maker): failed" in lines[0]
    assert "    line 2: product: 'boat' is not here; import its product file first" in lines
    assert "import units units.csv (maker): done" in lines[-1]
    forgotten = db.execute("UPDATE job SET finished_at = now() - interval '31 days' WHERE state = 'done'").rowcount
    assert forget_old(db, Settings(), system_clock())["job"] == forgotten == 1
    assert "done" not in "".join(app_jobs.newest_lines(url))


def test_the_command_shows_how_far_it_is_and_lists_jobs(url, fleet, monkeypatch, capsys):
    def gateway(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    monkeypatch.setattr(import_files, "PROGRESS_EVERY_S", 0.0)
    code, out, err = gateway("import", "units", str(fleet / "units.csv"))
    assert (code, out) == (0, "units.csv: 5 of 5 units created or changed\n")
    assert "upload: 5 rows\n" in err
    assert "apply: 5 of 5 rows\n" in err
    (fleet / "units.csv").write_text("product,serial,lot\npump,P1,\n")
    assert gateway("import", "units", str(fleet / "units.csv"), "--clear", "lot")[1].startswith("units.csv: 1 of 1")
    code, _, err = gateway("import", "units", str(fleet / "units.csv"), "--clear", "colour")
    assert (code, "--clear does not take colour" in err) == (1, True)
    assert gateway("jobs", "list")[1].count("import units units.csv (cli): done\n") == 2
    assert gateway("jobs", "cancel", "nothing")[0] == 1


def test_the_lease_is_kept_while_a_turn_runs_long(url, db, fleet):
    """Its thread renews it, so that no worker takes the job up beside the process that runs it."""
    kept = threading.Event()

    def wait() -> None:
        let_the_lease_run_out(db)
        until(lambda: db.execute("SELECT 1 FROM job WHERE lease_until > now()").fetchone())
        kept.set()

    import_rows(url, "units", [fleet / "units.csv"], actor="maker", show=once_in_phase("apply", wait))
    assert kept.is_set()


def test_an_import_that_changes_nothing_locks_nothing(url, fleet):
    for name in ("units", "owners"):
        import_rows(url, name, [fleet / f"{name}.csv"], actor="maker")
    looked: list[str] = []

    def look() -> None:
        with connect(url, "test") as other, other.transaction():
            for table in ("unit", "person", "ownership"):
                other.execute(f"SELECT FROM {table} FOR UPDATE NOWAIT")
                looked.append(table)

    for name in ("units", "owners"):
        import_rows(url, name, [fleet / f"{name}.csv"], actor="maker", show=once_in_phase("apply", look))
    assert looked == ["unit", "person", "ownership"] * 2


def test_the_owner_of_a_recalled_unit_is_told_when_an_import_names_them(url, db, fleet):
    """What makes the unit due is done turn by turn behind the import, in no campaign that is over or closed for it."""
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = 'replica'")  # campaigns without their whole story
        for number, kind, state_, closed in [
            ("R-1", "recall", "published", None),
            ("R-2", "recall", "withdrawn", None),
            ("U-3", "update", "published", "now"),
        ]:
            db.execute(
                "INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors,"
                " created_at, edited_by, edited_at, approved_by, published_at, units, ended_at)"
                " SELECT %(number)s, %(number)s, %(kind)s, %(state)s, u.product_id, '{}', '{}', '{}', now(), 1, now(),"
                " 1, now(), 1, CASE WHEN %(state)s = 'withdrawn' THEN now() END FROM unit u WHERE u.serial = 'P1'",
                {"number": number, "kind": kind, "state": state_},
            )
            db.execute(
                "INSERT INTO campaign_unit (campaign_id, unit_id, standing, matched, closed_at)"
                " SELECT c.id, u.id, 'affected', 'lot', %s::timestamptz FROM campaign c, unit u"
                " WHERE c.number = %s AND u.serial IN ('P1', 'P2')",
                [closed, number],
            )
    (fleet / "one.csv").write_text("person,email,unit,since\nBob,bob@example.org,pump/P1,2025-01-01T00:00:00Z\n")
    import_rows(url, "owners", [fleet / "one.csv"], actor="maker")
    rows = db.execute(
        "SELECT c.number, u.serial FROM campaign_unit cu JOIN campaign c ON c.id = cu.campaign_id"
        " JOIN unit u ON u.id = cu.unit_id WHERE cu.due_at <= now()"
    ).fetchall()
    assert [(row["number"], row["serial"]) for row in rows] == [("R-1", "P1")]


def test_a_firmware_that_is_reported_while_a_file_takes_effect_stands(url, db, fleet):
    """The report is not committed yet when the import looks; the import waits for the unit and looks again."""
    (fleet / "old.csv").write_text("product,serial,firmware\npump,P1,1.0\npump,P2,1.0\n")
    with connect(url, "test") as device:
        with device.transaction():
            device.execute("UPDATE unit SET firmware = '2.0', firmware_reported_at = now() WHERE serial = 'P1'")
            importing = threading.Thread(
                target=import_rows, args=[url, "units", [fleet / "old.csv"]], kwargs={"actor": "maker"}
            )
            importing.start()
            until(lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
        importing.join(timeout=20)
    rows = db.execute("SELECT serial, firmware FROM unit ORDER BY serial LIMIT 2").fetchall()
    assert [(row["serial"], row["firmware"]) for row in rows] == [("P1", "2.0"), ("P2", "1.0")]


def test_who_claims_a_unit_that_an_import_is_changing_is_not_kept_waiting(url, db, fleet):
    """They are asked to try again. Waiting requests would hold all connections of the pages until the import ends."""
    (fleet / "codes.csv").write_text("product,serial,claim_code\npump,P8,K7QM-2XRT\n")
    import_rows(url, "units", [fleet / "codes.csv"], actor="maker")
    (fleet / "codes.csv").write_text("product,serial,lot\npump,P8,L1\npump,P1,L1\n")
    told: list[str] = []
    acts = {
        "claim": lambda tx: try_claim(tx, Claimant(1, "ada", "203.0.113.7"), "P8"),
        "release": lambda tx: release(tx, 1, "ada", public_id, system_clock()),
    }
    public_id = db.execute("SELECT public_id FROM unit WHERE serial = 'P1'").fetchone()["public_id"]

    def try_both() -> None:
        for name, act in acts.items():
            with connect(url, "test") as other:
                other.execute("SET statement_timeout = '20s'")
                with pytest.raises(psycopg.errors.LockNotAvailable), other.transaction():
                    act(other)
                told.append(name)

    import_rows(url, "units", [fleet / "codes.csv"], actor="maker", show=once_in_phase("apply", try_both))
    assert told == ["claim", "release"]
    with db.transaction():
        assert isinstance(try_claim(db, Claimant(1, "ada", "203.0.113.7"), "P8"), Claimed)
