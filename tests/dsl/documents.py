"""Every kind of stored document: its number, the models that read it, and the recorded ones that stay readable."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from gateway.accounts.letters import LETTER
from gateway.api.models import Why
from gateway.campaigns.model import CAMPAIGN, Audience, CampaignPart, Content
from gateway.core.documents import DocumentKind
from gateway.notify.model import CAMPAIGN_TEXT, LEDGER, NOTICE
from gateway.rules.document import RULE, RuleDocument
from gateway.rules.repository import CLEARING, EVIDENCE

FOLDER = Path(__file__).parents[1] / "data" / "documents"
DIGESTS = FOLDER / "schemas.json"
"""By kind and number, the SHA-256 of the JSON Schemas that read it."""
_WORDS = ("description", "title", "examples")


class _Exact(BaseModel, extra="forbid"):
    """What is stored has these fields and no others, so that a new one is noticed and needs a new number."""


class Evidence(_Exact):
    metric: str
    unit: str
    onset_value: float
    value: float
    extreme: float


class Clearing(_Exact):
    value: float = 0
    extreme: float = 0
    reason: str = ""


class NoticeText(_Exact):
    title: str
    body: str
    action: str


class WhyStored(Why, extra="forbid"):
    pass


class PartStored(CampaignPart, extra="forbid"):
    pass


class OwnStored(_Exact):
    """What is of a person and a unit in a campaign's notice."""

    matched: str
    owned_since: datetime
    sent_because: str | None = None
    replaced_by: str | None = None


class DetailsStored(CampaignPart, extra="forbid"):
    """What a campaign says to all; the rest is of each notice."""

    matched: None = None  # type: ignore[assignment]
    told_because: None = None  # type: ignore[assignment]


class CampaignTextStored(_Exact):
    text: NoticeText
    details: DetailsStored


class LedgerStep(_Exact):
    stage: str
    outcome: str
    reason: str
    until: str | None = None


class LetterData(_Exact):
    name: str = ""
    code: str = ""
    minutes: int = 0
    days: int = 0
    role: str = ""
    invited_by: str | None = None
    path: str = ""


@dataclass(frozen=True)
class Stored:
    """A kind, where its columns are, and by part of the document the model that reads it; "" is the whole."""

    kind: DocumentKind
    columns: tuple[str, ...]
    models: dict[str, Any]

    @property
    def name(self) -> str:
        return self.kind.name.replace("'", "").replace(" ", "-")

    def digest(self) -> str:
        """Returns the digest of the models' schemas, without descriptions."""
        schemas = {part: _bare(TypeAdapter(model).json_schema()) for part, model in self.models.items()}
        return hashlib.sha256(json.dumps(schemas, sort_keys=True).encode()).hexdigest()

    def recorded(self) -> list[tuple[Path, int, Any]]:
        """Every recorded document with its number."""
        paths = sorted(FOLDER.glob(f"{self.name}.[0-9]*.json"))
        return [(path, int(path.name.split(".")[1]), json.loads(path.read_text("utf-8"))) for path in paths]


STORED = (
    Stored(RULE, ("rule_version.document",), {"": RuleDocument}),
    Stored(EVIDENCE, ("alarm.evidence",), {"": Evidence}),
    Stored(CLEARING, ("alarm.clearing",), {"": Clearing}),
    Stored(CAMPAIGN, ("campaign.content", "campaign.audience"), {"content": Content, "audience": Audience | None}),
    Stored(
        NOTICE,
        ("notice.text", "notice.why"),
        {"text": NoticeText | None, "why": WhyStored | PartStored | OwnStored},
    ),
    Stored(CAMPAIGN_TEXT, ("campaign_text.document",), {"": CampaignTextStored}),
    Stored(LEDGER, ("ledger.steps",), {"": list[LedgerStep]}),
    Stored(LETTER, ("letter.data",), {"": LetterData}),
)

NOT_DOCUMENTS = {
    "product.name": "texts by language",
    "product.serial_hint": "texts by language",
    "product.code_hint": "texts by language",
    "product_metric.title": "texts by language",
    "product_revision_metric.title": "texts by language",
    "job.arguments": "as long as the job; a kind that changes what it keeps takes another name",
    "job.place": "as long as the job; a kind that changes what it keeps takes another name",
    "job.result": "as long as the job; a kind that changes what it keeps takes another name",
    "event.data": "the log is append-only: a field of an event keeps its name and meaning, and new ones are optional",
    "role_beat.detail": "overwritten every second by the version that runs",
    "sign_in_code.data": "gone with its code, after seven days at the latest",
}
"""Other JSON in the database, and why it needs no number."""


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        names_maps = {"properties", "$defs"}
        return {
            key: {name: _bare(item) for name, item in value.items()} if key in names_maps else _bare(value)
            for key, value in schema.items()
            if key not in _WORDS
        }
    return [_bare(item) for item in schema] if isinstance(schema, list) else schema
