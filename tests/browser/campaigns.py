"""Two product managers, and what they publish over the API."""

from typing import Any

from gateway.demo.visitor import Visitor

CONTACT = {"phone": "0800 000 0142", "email": "recall@brenhold.example", "url": "https://brenhold.example/recall"}
RECALL = {
    "kind": "recall",
    "title": {"en": "The air tank can burst", "de": "Der Drucktank kann bersten"},
    "hazard": {
        "en": "The air tank can burst under pressure. Flying metal can seriously injure or kill.",
        "de": "Der Drucktank kann bersten. Umherfliegendes Metall kann schwer verletzen oder töten.",
    },
    "action": "stop_using",
    "action_text": {
        "en": "Switch it off and pull the plug. Open the valve under the tank until the gauge shows 0.",
        "de": "Schalten Sie es aus und ziehen Sie den Stecker. Öffnen Sie das Ventil unter dem Tank.",
    },
    "remedies": ["repair", "refund"],
    "remedy_text": {
        "en": "A new tank, fitted at your home, or your money back. Both are free.",
        "de": "Ein neuer Tank, bei Ihnen eingebaut, oder Ihr Geld zurück. Beides ist kostenlos.",
    },
    "contact": CONTACT,
}
UPDATE = {
    "kind": "update",
    "title": {"en": "Version 9.4.0 for your heat pump", "de": "Version 9.4.0 für Ihre Wärmepumpe"},
    "changes": {
        "en": "Defrosts faster in wet cold. Closes a security gap in the Wi-Fi link.",
        "de": "Taut bei nasser Kälte schneller ab. Schließt eine Sicherheitslücke im WLAN.",
    },
    "action_text": {
        "en": "Press the menu key for three seconds. Choose Update and wait 12 minutes.",
        "de": "Drücken Sie drei Sekunden die Menütaste. Wählen Sie Update und warten Sie 12 Minuten.",
    },
    "contact": CONTACT,
}
WITHDRAWAL = {
    "kind": "withdrawal",
    "title": {"en": "The recall of your compressor is withdrawn", "de": "Der Rückruf Ihres Kompressors ist aufgehoben"},
    "reason": {"en": "The tank was tested: it holds.", "de": "Der Tank wurde geprüft: Er hält."},
    "contact": CONTACT,
}


class Makers:
    """Who drafts, and who approves."""

    def __init__(self, url: str, password: str) -> None:
        self._drafts = Visitor.sign_in(url, "garden@brenhold.example", password)
        self._approves = Visitor.sign_in(url, "heat@brenhold.example", password)

    def publish(
        self,
        product: str,
        content: dict[str, Any],
        audience: dict[str, Any] | None,
        supersedes: str | None = None,
    ) -> dict[str, Any]:
        """Draft it, and have the other one approve what would be reached. Returns the published campaign."""
        draft = {"product": product, "content": content, "audience": audience, "supersedes": supersedes}
        made = self._drafts.post("/api/campaigns", draft)
        assert not [check for check in made["checks"] if check["blocks"]], made["checks"]
        seen = {"units": made["count"]["units"], "version": made["version"]}
        return self._approves.post(f"/api/campaigns/{made['id']}/approve", seen)
