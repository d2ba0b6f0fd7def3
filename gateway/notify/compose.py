"""A notice or a service letter as the mail and push that a person reads, made from templates."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gateway.core.maker import Maker
from gateway.notify.bulletin_words import BulletinTexts, bulletin_texts, bulletin_words, maker_links
from gateway.notify.channels.registry import name_in
from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest
from gateway.notify.mail import Mail
from gateway.notify.model import Delivery
from gateway.notify.words import letter_words, words
from gateway.rules.figures import number


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
    said = words(delivery.language)
    safety = delivery.severity == "safety"
    unsubscribe = None if safety else links.unsubscribe(UnsubscribeLink(person, address_digest(to)))
    headers = {}
    if unsubscribe:
        headers = {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    if safety:
        headers |= {"Importance": "high", "X-Priority": "1"}
    template = "notice" if delivery.kind == "alarm" else "campaign"
    subject = _title(delivery)
    shown = {
        **_framed(maker, delivery.language),
        "said": said,
        "delivery": delivery,
        "subject": subject,
        **(_alarm(delivery, said) if template == "notice" else _campaign(delivery, maker)),
        "told_because": _sentence(delivery.why.get("told_because", "")),
        "sent_because": _sent_because(delivery, said),
        "link": links.open(OpenLink(delivery.notice, delivery.channel)),
        "unsubscribe": unsubscribe,
    }
    return Mail(
        to=to,
        subject=said["again_title"].format(title=subject) if delivery.again else subject,
        text=_ENVIRONMENT.get_template(f"{template}.txt").render(shown),
        html=_ENVIRONMENT.get_template(f"{template}.html").render(shown),
        headers=headers,
        key=f"{delivery.notice}.{delivery.channel}",
    )


def notice_push(delivery: Delivery, links: Links) -> tuple[str, str, dict[str, str]]:
    """Title, body and data of a push; the phone knows the same notice again by its id."""
    said = words(delivery.language)
    title, body = _title(delivery), delivery.text["body"]
    data = {
        "notice": delivery.notice,
        "severity": delivery.severity,
        "link": links.open(OpenLink(delivery.notice, delivery.channel)),
    }
    if delivery.again:
        return said["again_title"].format(title=title), f"{body} {said['again']}", data | {"again": "true"}
    return title, body, data


def letter_mail(letter: dict[str, Any], links: Links, maker: Maker) -> Mail | None:
    """The mail of a service letter; None when nobody wrote such a letter."""
    written = letter_words(letter["template"], letter["language"])
    if written is None:
        return None
    data = {name: str(value) for name, value in letter["data"].items()} | {"maker": maker.name}
    filled = {"button": ""} | {part: text.format_map(_Given(data)) for part, text in written.items()}
    shown = {
        **_framed(maker, letter["language"]),
        "said": filled,
        "code": data.get("code"),
        "link": links.base + data.get("path", "/"),
        "name": data.get("name"),
    }
    return Mail(
        to=letter["to_email"],
        subject=filled["subject"],
        text=_ENVIRONMENT.get_template("letter.txt").render(shown),
        html=_ENVIRONMENT.get_template("letter.html").render(shown),
        headers={},
        key=f"letter-{letter['id']}",
    )


def page(
    title: str, body: str, language: str, maker: Maker, *, button: str | None = None, back: str | None = None
) -> str:
    """The small page behind a link, without JavaScript; a button posts to the same address."""
    shown = _framed(maker, language) | {"title": title, "body": body, "button": button, "back": back}
    return _ENVIRONMENT.get_template("page.html").render(shown)


def _framed(maker: Maker, language: str) -> dict[str, Any]:
    """What head and foot of a page or a mail need."""
    return {"language": language, "maker": maker, "maker_links": maker_links(maker, language)}


class _Given(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _title(delivery: Delivery) -> str:
    """Its title; a recall's begins with the headline that the law fixes."""
    title = delivery.text["title"]
    return bulletin_words(delivery.language)["recall_title"].format(title=title) if delivery.kind == "recall" else title


def _alarm(delivery: Delivery, said: Mapping[str, str]) -> dict[str, str]:
    return {
        "severity": said.get(delivery.severity, ""),
        "unit": said["unit"].format(product=delivery.product, serial=delivery.serial),
        "evidence": _evidence(delivery.why, said["limit"]),
        "sentence": delivery.why.get("plain") or str(delivery.why.get("sentence", "")).replace("*", ""),
    }


def _campaign(delivery: Delivery, maker: Maker) -> dict[str, BulletinTexts]:
    return {"told": bulletin_texts(delivery.kind, delivery.why, delivery.language, maker.zone)}


def _evidence(why: dict[str, Any], template: str) -> str:
    value, limit = why.get("value"), why.get("limit")
    if value is None or limit is None:
        return ""
    return template.format(value=number(round(value, 2)), unit=why.get("unit", ""), limit=number(limit))


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}." if reason else ""


def _sent_because(delivery: Delivery, said: Mapping[str, str]) -> str:
    if delivery.severity == "safety":
        return said["sent_safety"]
    if delivery.follows:
        return said["follows"].format(channel=name_in(delivery.follows, delivery.language))
    reason = delivery.why.get("sent_because")
    return said["sent_because"].format(reason=reason) if reason else ""


def render(template: str, **shown: Any) -> str:  # noqa: ANN401 - what the template names
    """Any other template of this package."""
    return _ENVIRONMENT.get_template(template).render(shown)
