"""Campaigns over HTTP: staff read them; product managers and administrators draft, and a second one approves."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gateway.accounts.model import Account
from gateway.api import campaign_models as models
from gateway.api.auth import role, staff
from gateway.api.models import Problem
from gateway.campaigns.model import AudienceCount, Draft, Standing, State

_NEWEST = 2**63 - 1

router = APIRouter(tags=["campaigns"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Staff = Annotated[Account, Depends(staff)]
Writer = Annotated[Account, Depends(role("product_manager", "administrator"))]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=_NEWEST)]
Before = Annotated[int, Query(ge=0, le=_NEWEST)]


@router.get("/api/products")
def products(_who: Staff) -> models.Products:
    """Every product with its lots."""
    raise NotImplementedError


@router.get("/api/campaigns")
def campaigns(_who: Staff, before: Before = _NEWEST, limit: Limit = 50, state: State | None = None) -> models.Campaigns:
    """Campaigns, the newest first."""
    raise NotImplementedError


@router.post("/api/campaigns", status_code=201)
def draft(_who: Writer, body: Draft) -> models.Campaign:
    """Begin a campaign; it may be unfinished."""
    raise NotImplementedError


@router.post("/api/campaigns/count")
def count(_who: Writer, body: models.CountQuestion) -> AudienceCount:
    """Whom an audience would reach now; nothing is kept."""
    raise NotImplementedError


@router.get("/api/campaigns/{campaign_id}")
def campaign(_who: Staff, campaign_id: str) -> models.Campaign:
    """One campaign."""
    raise NotImplementedError


@router.put("/api/campaigns/{campaign_id}")
def edit(_who: Writer, campaign_id: str, body: models.EditedDraft) -> models.Campaign:
    """Change a draft; 409 when somebody else changed it meanwhile, or it is published."""
    raise NotImplementedError


@router.delete("/api/campaigns/{campaign_id}", status_code=204)
def discard(_who: Writer, campaign_id: str) -> None:
    """Throw a draft away."""
    raise NotImplementedError


@router.post("/api/campaigns/{campaign_id}/approve")
def approve(_who: Writer, campaign_id: str, body: models.Approval) -> models.Campaign:
    """Publish a draft that others wrote: its audience is frozen, and its owners are told."""
    raise NotImplementedError


@router.get("/api/campaigns/{campaign_id}/units")
def units(
    _who: Staff, campaign_id: str, after: After = 0, limit: Limit = 100, standing: Standing | None = None
) -> models.CampaignUnits:
    """The frozen audience, unit by unit."""
    raise NotImplementedError
