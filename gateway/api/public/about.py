"""About the installation: whether it works, and the stages of its roads."""

from typing import Any, Literal

from fastapi import APIRouter, Response

from gateway import flow
from gateway.api import models
from gateway.api.paging import Reading
from gateway.api.readiness import readiness

router = APIRouter(tags=["about"], responses={"5XX": {"model": models.Problem}})

Road = Literal["reading", "recall"]


@router.get("/api/flow")
def stages(road: Road = "reading") -> list[models.Stage]:
    """The road from a reading, or from a recall, to a notice, stage by stage."""
    return [models.Stage(name=stage.name, sentence=stage.sentence) for stage in flow.ROADS[road]]


@router.get("/healthz")
def health() -> dict[str, Any]:
    """Whether this process answers."""
    return {"alive": True}


@router.get("/readyz", responses={503: {"model": models.Ready}})
def ready(database: Reading, response: Response) -> models.Ready:
    """The database answers, every role does its work, no event is left unread; 503 when not, and what is waited for."""
    state = readiness(database)
    if not state.ready:
        response.status_code = 503
    return state
