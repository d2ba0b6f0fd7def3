"""kill -9 of the worker while it tells thousands of a recall: in the end each of them was told, and nobody twice."""

from tests.dsl.campaigns import office
from tests.dsl.forms import form
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories.campaigns import add_owners, add_units, column_values
from tests.factories.notices import QUICK

OWNERS = form(120, 400)
KILLED_AT = form((60,), (1, 100, 250))
"""Owners told."""
SETTINGS = {"notify_batch": 20, "smtp_url": "smtp://127.0.0.1:1"}
"""Small sets; and a mail server that is not there, so that each owner has a delivery."""
WHOLE = (
    "SELECT count(*) FROM ledger WHERE outcome = 'pass'",
    "SELECT count(*) FROM event WHERE kind = 'notice.told'",
    "SELECT count(*) FROM outbox",
)


def test_owners_are_told_once_whenever_the_worker_is_killed(url, db, tmp_path):
    names = {f"P{n}": f"Owner{n}" for n in range(OWNERS)}
    add_units(db, *((serial, "L1", None) for serial in names))
    add_owners(db, names)
    told = "SELECT count(*) FROM notice"
    with office(url, db) as at:
        campaign = at.publish()
        with running_roles(url, 1, tmp_path, "worker", **QUICK | SETTINGS) as roles:
            for reached in KILLED_AT:
                until(lambda enough=reached: column_values(db, told)[0] >= enough, within=60)
                roles.kill("worker")
                until(
                    lambda: (
                        not column_values(
                            db, "SELECT 1 FROM pg_stat_activity WHERE application_name ~ 'gateway-worker'"
                        )
                    )
                )
                for other in WHOLE:
                    assert column_values(db, told) == column_values(db, other), "a set is told wholly, or not at all"
                roles.start("worker")
            until(lambda: at.progress(campaign)["pending"] == 0, within=60)
        assert column_values(db, "SELECT count(*) AS all, count(DISTINCT person_id) AS people FROM notice") == [
            (OWNERS, OWNERS)
        ]
        shown = (
            "SELECT count(*) AS all, count(DISTINCT data->>'notice') AS notices FROM event WHERE kind = 'notice.told'"
        )
        assert column_values(db, shown) == [(OWNERS, OWNERS)]
        assert at.progress(campaign)["registered"] == OWNERS
