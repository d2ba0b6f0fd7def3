"""A notice or a service letter as the mail and push that a person reads, made from templates."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.ids import notice_number
from gateway.core.maker import Maker
from gateway.notify.bulletin_texts import BulletinTexts, bulletin_texts
from gateway.notify.channels.registry import name_in
from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest
from gateway.notify.mail import Mail
from gateway.notify.model import Delivery
from gateway.notify.rendering import Form, fill, framed, render
from gateway.text import Speech, words
from gateway.text.reasons import reason_sentence, reason_text


def notice_mail(delivery: Delivery, to: str, person: str, links: Links, maker: Maker) -> Mail:
    """The mail of a notice, HTML and text; only safety has no way out."""
    say = _speech(delivery, maker)
    is_safety = delivery.severity == "safety"
    unsubscribe = "" if is_safety else links.unsubscribe(UnsubscribeLink(person, address_digest(to)))
    subject = _title(delivery, say)
    told = None if delivery.kind == "alarm" else bulletin_texts(delivery.kind, delivery.why, say)
    texts = {
        **delivery.text,
        **(_alarm(delivery, say) if told is None else _campaign(delivery, told, subject)),
        "told_because": reason_sentence(delivery.why.get("told_because"), say),
        "sent_because": _sent_because(delivery, say),
        "link": links.open(OpenLink(delivery.notice, delivery.channel)),
        "unsubscribe": unsubscribe,
        "number": notice_number(delivery.notice_id),
    }
    template = "notice" if told is None else "campaign"
    form = Form(words(delivery.language), maker, delivery.severity, delivery.again, told and replace(told, matched=""))
    return Mail(
        to=to,
        subject=say("mail-again-title", title=subject) if delivery.again else subject,
        text=fill(f"{template}.txt", form, texts),
        html=fill(f"{template}.html", form, texts),
        headers=_headers(unsubscribe, is_safety=is_safety),
        key=".".join([delivery.notice, delivery.channel, *_renewal(delivery)]),
    )


def _headers(unsubscribe: str, *, is_safety: bool) -> dict[str, str]:
    if is_safety:
        return {"Importance": "high", "X-Priority": "1"}
    return {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


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
        **framed(maker, say),
        **written,
        "code": data.get("code"),
        "link": links.base + str(data.get("path", "/")),
    }
    return Mail(
        to=letter["to_email"],
        subject=written["subject"],
        text=render("letter.txt", **shown),
        html=render("letter.html", **shown),
        headers={},
        key=f"letter-{letter['id']}",
    )


def page(say: Speech, maker: Maker, title: str, body: str, *, button: str | None = None, back: bool = False) -> str:
    """The small page behind a link, without JavaScript; a button posts to the same address."""
    return render("page.html", **framed(maker, say), title=title, body=body, button=button, back=back)


def _speech(delivery: Delivery, maker: Maker) -> Speech:
    return Speech(delivery.language, maker.zone_of(delivery.time_zone))


def _title(delivery: Delivery, say: Speech) -> str:
    """Its title, with which of two equal units it means; a recall's begins with the headline that the law fixes."""
    title = delivery.text["title"]
    if delivery.apart:
        title = say("mail-which-title", title=title, which=delivery.apart)
    return say("mail-recall-title", title=title) if delivery.kind == "recall" else title


def _alarm(delivery: Delivery, say: Speech) -> dict[str, str]:
    severity = f"mail-severity-{delivery.severity}"
    return {
        "severity_word": say(severity) if severity in say else "",
        "unit": say("mail-unit", product=delivery.product, serial=delivery.serial),
        "evidence": _evidence(delivery.why, say),
        "sentence": delivery.why.get("plain") or str(delivery.why.get("sentence", "")).replace("*", ""),
    }


def _campaign(delivery: Delivery, told: BulletinTexts, subject: str) -> dict[str, str]:
    """What it says of the person's unit."""
    return {
        "subject": subject,
        "product": delivery.product,
        "model": delivery.model,
        "serial": delivery.serial,
        "matched": told.matched,
    }


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
