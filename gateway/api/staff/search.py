"""Search for the staff, over all kinds at once."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from gateway.api.auth import Speaking
from gateway.api.listing import Words
from gateway.api.models import Problem
from gateway.support.search import service
from gateway.support.search.service import Kind

LIMIT_MAX = 50
_PAGES: dict[Kind, str] = {
    "unit": "units",
    "person": "people",
    "notice": "notices",
    "campaign": "campaigns",
    "alarm": "alarms",
}

router = APIRouter(tags=["search"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})


class SearchHit(BaseModel):
    """One thing that was found, and the page that shows it."""

    id: str
    title: str
    line: str = Field(description="What tells it from others, in the reader's language.")
    link: str


class SearchFound(BaseModel):
    """The hits of one kind: what is exactly meant first, then what begins so, then what has the words anywhere."""

    kind: Kind
    hits: list[SearchHit]
    more: bool = Field(description="Whether there are more than `limit`.")


class SearchResults(BaseModel):
    """What was found, by kind; kinds without a hit are left out."""

    found: list[SearchFound]


@router.get("/api/search")
def search(
    request: Request, say: Speaking, words: Words, limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 5
) -> SearchResults:
    """Units, people, notices, campaigns and alarms by what people say of them; at most `limit` of each kind."""
    found = service.search(request.app.state.database, words, limit, say)
    return SearchResults(found=[_found(one) for one in found])


def _found(found: service.Found) -> SearchFound:
    page = _PAGES[found.kind]
    hits = [
        SearchHit(id=hit.id, title=hit.title, line=hit.line, link=f"/console/{page}/{hit.id}") for hit in found.hits
    ]
    return SearchFound(kind=found.kind, hits=hits, more=found.more)
