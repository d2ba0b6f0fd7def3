"""A notice or a service letter as the mail and push that a person reads, made from templates."""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.core.maker import Maker
from gateway.notify.bulletin_texts import BulletinTexts, bulletin_texts, maker_links
from gateway.notify.channels.registry import name_in
from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest
from gateway.notify.mail import Mail
from gateway.notify.model import Delivery
from gateway.text import Speech
from gateway.text.reasons import reason_sentence, reason_text


class _Environment(Environment):
    """Templates without globals of their own."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Returns the plain dict of the environment: a chain of dicts is copied slowly, four times for each mail."""
        return {**self.globals, **d} if d else self.globals


_ENVIRONMENT = _Environment(
    loader=PackageLoader("gateway.notify"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def notice_mail(delivery: Delivery, to: str, person: str, links: Links, maker: Maker) -> Mail:
    """The mail of a notice, HTML and text; only safety has no way out."""
    say = _speech(delivery, maker)
    safety = delivery.severity == "safety"
    unsubscribe = None if safety else links.unsubscribe(UnsubscribeLink(person, address_digest(to)))
    headers = {}
    if unsubscribe:
        headers = {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    if safety:
        headers |= {"Importance": "high", "X-Priority": "1"}
    template = "notice" if delivery.kind == "alarm" else "campaign"
    subject = _title(delivery, say)
    shown = {
        **_framed(maker, say),
        "delivery": delivery,
        "subject": subject,
        **(_alarm(delivery, say) if template == "notice" else _campaign(delivery, say)),
        "told_because": reason_sentence(delivery.why.get("told_because"), say),
        "sent_because": _sent_because(delivery, say),
        "link": links.open(OpenLink(delivery.notice, delivery.channel)),
        "unsubscribe": unsubscribe,
    }
    return Mail(
        to=to,
        subject=say("mail-again-title", title=subject) if delivery.again else subject,
        text=_ENVIRONMENT.get_template(f"{template}.txt").render(shown),
        html=_ENVIRONMENT.get_template(f"{template}.html").render(shown),
        headers=headers,
        key=".".join([delivery.notice, delivery.channel, *_renewal(delivery)]),
    )


def _renewal(delivery: Delivery) -> list[str]:
    """What tells a mail that is sent again after an all-clear from the one before it."""
    return [f"{delivery.renewed_at:%Y%m%d%H%M%S}"] if delivery.renewed_at else []


def notice_push(delivery: Delivery, links: Links) -> tuple[str, str, dict[str, str]]:
    """Title, body and data of a push; the phone knows the same notice again by its id."""
    say = Speech(delivery.language)
    title, body = _title(delivery, say), delivery.text["body"]
    data = {
        "notice": delivery.notice,
        "severity": delivery.severity,
        "link": links.open(OpenLink(delivery.notice, delivery.channel)),
    }
    if delivery.serials:
        data["units"] = str(len(delivery.serials))
    if delivery.again:
        return say("mail-again-title", title=title), f"{body} {say('mail-again')}", data | {"again": "true"}
    return title, body, data


def letter_mail(letter: dict[str, Any], links: Links, maker: Maker) -> Mail | None:
    """The mail of a service letter; None when nobody wrote such a letter."""
    say, template = Speech(letter["language"]), letter["template"]
    if f"letter-{template}-subject" not in say:
        return None
    data = {key: value if isinstance(value, int) else str(value) for key, value in letter["data"].items()}
    data["maker"] = maker.name
    keys = {part: f"letter-{template}-{part}" for part in ("subject", "lead", "note", "button")}
    written = {part: say(key, **data) if key in say else "" for part, key in keys.items()}
    shown = {
        **_framed(maker, say),
        **written,
        "code": data.get("code"),
        "link": links.base + str(data.get("path", "/")),
    }
    return Mail(
        to=letter["to_email"],
        subject=written["subject"],
        text=_ENVIRONMENT.get_template("letter.txt").render(shown),
        html=_ENVIRONMENT.get_template("letter.html").render(shown),
        headers={},
        key=f"letter-{letter['id']}",
    )


def page(say: Speech, maker: Maker, title: str, body: str, *, button: str | None = None, back: bool = False) -> str:
    """The small page behind a link, without JavaScript; a button posts to the same address."""
    shown = _framed(maker, say) | {"title": title, "body": body, "button": button, "back": back}
    return _ENVIRONMENT.get_template("page.html").render(shown)


def _speech(delivery: Delivery, maker: Maker) -> Speech:
    return Speech(delivery.language, maker.zone_of(delivery.time_zone))


def _framed(maker: Maker, say: Speech) -> dict[str, Any]:
    """What every page and mail needs, and its head and foot."""
    return {"say": say, "maker": maker, "maker_links": maker_links(maker, say)}


def _title(delivery: Delivery, say: Speech) -> str:
    """Its title, with which of two equal units it means; a recall's begins with the headline that the law fixes."""
    title = delivery.text["title"]
    if delivery.apart:
        title = say("mail-which-title", title=title, which=delivery.apart)
    return say("mail-recall-title", title=title) if delivery.kind == "recall" else title


def _alarm(delivery: Delivery, say: Speech) -> dict[str, str]:
    severity = f"mail-severity-{delivery.severity}"
    return {
        "severity": say(severity) if severity in say else "",
        "unit": say("mail-unit", product=delivery.product, serial=delivery.serial),
        "evidence": _evidence(delivery.why, say),
        "sentence": delivery.why.get("plain") or str(delivery.why.get("sentence", "")).replace("*", ""),
    }


def _campaign(delivery: Delivery, say: Speech) -> dict[str, BulletinTexts]:
    return {"told": bulletin_texts(delivery.kind, delivery.why, say)}


def _evidence(why: dict[str, Any], say: Speech) -> str:
    value, limit = why.get("value"), why.get("limit")
    if value is None or limit is None:
        return ""
    return say(
        "mail-evidence",
        when=say.when(datetime.fromisoformat(why["raised_at"])),
        value=say.plain(round(value, 2)),
        limit=say.plain(limit),
        unit=why.get("unit", ""),
    )


def _sent_because(delivery: Delivery, say: Speech) -> str:
    if delivery.severity == "safety":
        return say("mail-sent-safety")
    if delivery.follows:
        return say("mail-follows", channel=name_in(delivery.follows, say))
    reason = delivery.why.get("sent_because")
    return say("mail-sent-because", reason=reason_text(reason, say)) if reason else ""


def render(template: str, **shown: Any) -> str:  # noqa: ANN401 - what the template names
    """Any other template of this package."""
    return _ENVIRONMENT.get_template(template).render(shown)
