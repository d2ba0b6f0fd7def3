"""People over HTTP: the list, the record of one person, and My Products as they see it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from gateway.accounts.model import Account
from gateway.accounts.repository import account
from gateway.api.auth import Speaking, owner_connection, speech_for, who_may
from gateway.api.listing import Place, Words, as_csv, next_place, read_place
from gateway.api.models import Problem
from gateway.api.owner import views as my_views
from gateway.api.owner.models import MyFeed, MyUnits
from gateway.api.paging import Limit, Pool, Reading, next_page
from gateway.api.public.accounts import Now
from gateway.api.staff import people_models as models
from gateway.api.staff import people_views as views
from gateway.core.errors import NotFound
from gateway.notify import addresses
from gateway.registrations import owned
from gateway.store import Connection, Row
from gateway.support import people as kept_people
from gateway.support.audit import note_look
from gateway.support.people import COUNT_MAX, PeopleFilter

router = APIRouter(tags=["records"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Reader = Annotated[Account, Depends(who_may("read"))]

_CSV = ("public_id", "name", "email", "phone", "customer_number", "language", "country", "has_account")
_NEWEST = 2**63 - 1


def people_filter(
    words: Words = "",
    language: Annotated[str | None, Query(max_length=10)] = None,
    account: Literal["with", "without"] | None = None,
    recall: Literal["open"] | None = None,
) -> PeopleFilter:
    """Returns which people are asked for."""
    return PeopleFilter(words, language, None if account is None else account == "with", recall == "open")


Which = Annotated[PeopleFilter, Depends(people_filter)]


@router.get("/api/people")
def people(database: Reading, which: Which, after: Place = "", limit: Limit = 50) -> models.People:
    """People by the words of the search and by filters, those who came last first."""
    rows = kept_people.people(database, which, _before(after), limit)
    count = kept_people.count_people(database, which)
    return models.People(
        people=[models.PersonLine(**row | {"id": row["public_id"]}) for row in rows],
        next=next_place(rows, limit, "id"),
        counts=models.PeopleCounts(people=min(count, COUNT_MAX), more=count > COUNT_MAX),
    )


@router.get("/api/people.csv", response_class=StreamingResponse, dependencies=[Depends(who_may("export_people"))])
def people_csv(database: Pool, which: Which) -> StreamingResponse:
    """The same list as a file."""

    def page(connection: Connection, after: str, limit: int) -> tuple[list[list[object]], str | None]:
        rows = kept_people.people(connection, which, _before(after), limit)
        return [[row[column] for column in _CSV] for row in rows], next_place(rows, limit, "id")

    return as_csv(database, "people", _CSV, page)


@router.get("/api/people/{person_id}")
def person(request: Request, database: Reading, who: Reader, say: Speaking, now: Now, person_id: str) -> models.Person:
    """The record of a person; that it was looked at is noted."""
    moment = now()
    row = _person(kept_people.person(database, person_id, moment))
    number = row["person_id"]
    note_look(database, who, person=number, now=moment)
    reach = addresses.reach(database, number, moment)
    return models.Person(
        **row | {"id": row["person_public_id"], "time_zone": views.time_zone(row, request.app.state.settings)},
        account=views.account(row),
        network=views.network(reach, addresses.mail_of(database, number)["stopped_because"], moment, say),
        phones=views.phones(len(addresses.phones(database, number)), row),
        sign_ins=views.sign_ins(row),
        units=views.units(kept_people.units(database, number), moment, say),
        notices=views.notices(kept_people.notices(database, number, say.language), row["name"], say),
        counts=models.PersonCounts(**kept_people.counts(database, number)),
    )


@router.get("/api/people/{person_id}/my-products")
def my_products(request: Request, database: Pool, who: Reader, now: Now, person_id: str) -> models.SeenProducts:
    """My Products as this person sees it now, read as they read it; that it was looked at is noted."""
    moment = now()
    with database.read() as connection:
        owner = account(_person(kept_people.person(connection, person_id, moment)))
        note_look(connection, who, person=owner.person_id, now=moment, page="my_products")
    with owner_connection(request, owner) as mine:
        units = owned.units(mine, 0, kept_people.UNITS_SHOWN)
        feed = owned.feed(mine, _NEWEST, kept_people.UNITS_SHOWN)
    say = speech_for(request, owner)
    return models.SeenProducts(
        name=owner.name,
        language=owner.language,
        units=MyUnits(
            units=[my_views.unit(row, owner, moment) for row in units],
            next=next_page(units, kept_people.UNITS_SHOWN, "row"),
        ),
        feed=MyFeed(
            pinned=[my_views.notice(row, owner, say) for row in feed.pinned],
            notices=[my_views.notice(row, owner, say) for row in feed.notices],
            unread=feed.unread,
            next=next_page(feed.notices, kept_people.UNITS_SHOWN, "row"),
        ),
    )


def _person(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such person.")
    return row


def _before(after: str) -> int:
    place = read_place(after, 1)
    return int(place[0]) if place else _NEWEST
