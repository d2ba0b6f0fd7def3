"""Three api and three worker roles at once: nobody is told twice, and a stream goes on at another api."""

from contextlib import ExitStack

from tests.dsl.campaigns import office
from tests.dsl.forms import form
from tests.dsl.roles import Roles, running_roles
from tests.dsl.wait import until
from tests.factories.campaigns import UPDATE, add_owners, add_units, column_values
from tests.factories.notices import QUICK

OWNERS = form(60, 300)
EACH = OWNERS // 3
"""Of a recall and of an update, so many events are read at each api."""
ENDED = "SELECT count(*) FROM outbox WHERE channel <> 'feed' AND status IN ('waiting', 'claimed')"


def notices_on(api: Roles, last: str | None, most: int) -> list[dict[str, str]]:
    """Returns so many events of notices that were told, read from one api behind the last event of another."""
    told = []
    with api.stream(last) as stream:
        while len(told) < most:
            told.append(stream.next("notice.told"))
    return told


def test_three_workers_tell_everybody_once_and_three_apis_continue_one_stream(url, db, tmp_path, mail):
    names = {f"P{n}": f"Owner{n}" for n in range(OWNERS)}
    add_units(db, *((serial, "L1", "2.3") for serial in names))
    add_owners(db, names)
    with office(url, db) as at, ExitStack() as running:
        recall, update = at.publish(), at.publish(UPDATE)
        every = []
        for number in range(3):
            (folder := tmp_path / str(number)).mkdir()
            settings = QUICK | {"smtp_url": mail.url, "outbox_batch": 10, "public_url": "http://127.0.0.1"}
            every.append(running.enter_context(running_roles(url, 1, folder, "worker", "api", **settings)))
        for roles in every:
            until(lambda one=roles: answers(one), within=60, what="the api answers")
        heard: list[dict[str, str]] = []
        for api in (*every, *every):  # each is read from twice, while the workers tell
            heard += notices_on(api, heard[-1]["cursor"] if heard else "0", EACH)
        until(lambda: column_values(db, ENDED) == [0], within=120)
        assert [roles.ended() for roles in every] == [[], [], []]
        assert {at.progress(each)["pending"] for each in (recall, update)} == {0}
    told = column_values(db, "SELECT public_id FROM notice ORDER BY public_id")
    assert len(told) == 2 * OWNERS
    assert sorted(each["data"]["notice"] for each in heard) == told, "each once, none left out between two apis"
    assert [int(each["cursor"]) for each in heard] == sorted(int(each["cursor"]) for each in heard)
    assert column_values(db, "SELECT count(*) FROM event WHERE kind = 'notice.told'") == [2 * OWNERS]
    assert sorted(mail.recipients) == sorted(f"{name.lower()}@example.org" for name in names.values())


def answers(roles: Roles) -> bool:
    """Whether its api is there; the whole installation is not ready, since nobody ingests."""
    try:
        return bool(roles.get("/api/flow"))
    except OSError:
        return False
