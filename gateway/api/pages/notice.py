"""A notice as a page that works without a script: an alarm with its evidence, a campaign with all that it says."""

import json
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from gateway.accounts.model import Account
from gateway.api import models
from gateway.api.owner import models as my_models
from gateway.api.owner import views as my_views
from gateway.api.pages.chart import Words, chart
from gateway.api.pages.icons import ICONS
from gateway.core.maker import Maker
from gateway.notify.bulletin_texts import bulletin_texts, maker_links
from gateway.notify.repository import as_written
from gateway.registrations import owned
from gateway.store import Connection
from gateway.text import Speech

_LEAD = timedelta(minutes=10)
_TAIL = timedelta(minutes=3)
_LONGEST = timedelta(hours=12)
_POINTS_MAX = 1_000
_ROWS = 10
_MARKS = {
    "safety": ("recall", "safety"),
    "critical": ("crit", "warn"),
    "warning": ("warn", "warn"),
    "info": ("info", "info"),
    "recall": ("recall", "safety"),
    "update": ("update", "info"),
    "withdrawal": ("info", "info"),
}
_CONTACTS = {"phone": "phone", "email": "mail", "url": "globe"}
_CHANNELS = {"email": "mail", "push": "push", "feed": "bell"}


def render(mine: Connection, account: Account, notice_id: str, now: datetime, maker: Maker) -> str | None:
    """The page of one of the person's notices; None when it is not theirs."""
    row = owned.notice(mine, notice_id)
    if row is None:
        return None
    notice = my_views.notice(row, account, _speech(account, maker))
    found = owned.unit(mine, notice.unit.id)
    unit = my_views.unit(found, account, now) if found else None
    if notice.campaign is not None:
        return _campaign(account, notice, unit, as_written(row)["why"], maker)
    assert notice.why is not None  # noqa: S101 - a notice is of an alarm or of a campaign
    return _alarm(mine, account, notice, notice.why, unit, now, maker)


def missing(account: Account, maker: Maker) -> str:
    """The page for a person whose notice it is not."""
    return _render("notice.html", account, maker, notice=None)


def _campaign(
    account: Account,
    notice: my_models.MyNotice,
    unit: my_models.MyUnit | None,
    part: dict[str, object],
    maker: Maker,
) -> str:
    """A recall, an update or a withdrawal; `red` while a recall counts."""
    mark, tone = _MARKS[notice.kind]
    return _render(
        "notice_campaign.html",
        account,
        maker,
        notice=notice,
        unit=unit,
        part=notice.campaign,
        told=bulletin_texts(notice.kind, part, _speech(account, maker)),
        red=notice.kind == "recall" and notice.state == "open",
        mark=mark,
        tone=tone,
        contacts=_CONTACTS,
        channels=_CHANNELS,
    )


def _alarm(
    mine: Connection,
    account: Account,
    notice: my_models.MyNotice,
    why: models.Why,
    unit: my_models.MyUnit | None,
    now: datetime,
    maker: Maker,
) -> str:
    say = _speech(account, maker)
    begin = why.onset - _LEAD
    over = why.cleared_at or notice.resolved_at
    end = min(now, over + _TAIL if over else now, begin + _LONGEST)
    points = owned.readings(mine, notice.unit.id, why.metric, begin, end, _POINTS_MAX)
    normal = next((each.normal for each in unit.readings if each.metric == why.metric), None) if unit else None
    mark, tone = _MARKS[notice.severity]
    return _render(
        "notice_alarm.html",
        account,
        maker,
        notice=notice,
        unit=unit,
        why=why,
        mark=mark,
        tone=tone,
        normal=_band(say, normal, why.unit),
        limit=f"{say.plain(why.limit)} {why.unit}",
        chart=_chart(say, notice, why, points, normal),
        table=points[:: max(1, len(points) // _ROWS)][-_ROWS - 1 :],
        channels=_CHANNELS,
    )


def _chart(
    say: Speech,
    notice: my_models.MyNotice,
    why: models.Why,
    points: list[tuple[datetime, float]],
    normal: tuple[float, float] | None,
) -> str:
    if not points:
        return ""
    first, last = say.clock(points[0][0]), say.clock(points[-1][0])
    band = _band(say, normal, why.unit)
    label = say(
        "page-chart",
        title=why.title,
        first=first,
        last=last,
        normal=f"{band}." if band else "",
        limit=f"{say.plain(why.limit)} {why.unit}",
        onset=say.clock(why.onset),
        value=f"{say.number(points[-1][1])} {why.unit}",
    )
    alarm = say("unit-chart-since", time=say.clock(why.onset))
    words = Words(label, band, alarm, say.plain(why.limit), first, last)
    tone = "safety" if notice.severity == "safety" else ""
    return chart(points, normal, why.limit, why.onset, why.cleared_at, words, tone)


def _band(say: Speech, normal: tuple[float, float] | None, unit: str) -> str:
    return say("unit-metric-range", low=say.plain(normal[0]), high=f"{say.plain(normal[1])} {unit}") if normal else ""


def _render(template: str, account: Account, maker: Maker, **values: object) -> str:
    page, say = _templates().get_template(template), _speech(account, maker)
    return page.render(
        say=say,
        icon=_icon,
        style=_stylesheet(),
        maker=maker,
        maker_links=maker_links(maker, say),
        **values,
    )


def _speech(account: Account, maker: Maker) -> Speech:
    return Speech(account.language, maker.zone_of(account.time_zone))


def _icon(name: str) -> Markup:
    return Markup('<svg class="i" viewBox="0 0 24 24" aria-hidden="true">{}</svg>').format(Markup(ICONS[name]))  # noqa: S704 - ours


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.api.pages"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet() -> str | None:
    """The one stylesheet that vite built, by its hashed name; without it the page is plain, and complete."""
    manifest = files("gateway") / "web" / "dist" / ".vite" / "manifest.json"
    try:
        built = json.loads(manifest.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return next((f"/{each['file']}" for each in built.values() if each["file"].endswith(".css")), None)
