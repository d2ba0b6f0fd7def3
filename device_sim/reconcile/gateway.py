"""The gateway as support sees it over HTTP: units, readings, quarantine, alarms, ledger, notices, deliveries."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from device_sim.errors import SimError
from device_sim.reconcile.model import Row

_PAGE = 500
_READINGS = 20_000
_TIMEOUT_S = 60.0


class Gateway:
    """A client that is signed in as staff; every method raises SimError for an unexpected response."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url.rstrip("/")
        try:
            self._client = httpx.Client(
                base_url=self.url, timeout=_TIMEOUT_S, headers={"Sec-Fetch-Site": "same-origin"}
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise SimError(f"{url!r} is not the address of a gateway: {error}") from None
        account = self._ask("POST", "/api/sign-in", json={"email": email, "password": password})
        if account.get("role") not in ("support", "product_manager", "administrator"):
            raise SimError(f"{email} is signed in as {account.get('role')}; readings of all units are for staff only")

    def units(self) -> dict[str, str]:
        """The public id of every unit, by "product/serial" with the serial in its canonical form."""
        public_ids: dict[str, str] = {}
        after: str | None = ""
        while after is not None:
            page = self._ask("GET", "/api/units", params={"after": after, "limit": _PAGE, "sort": "serial"})
            public_ids |= {key(unit["product"]["code"], unit["serial"]): unit["id"] for unit in page["units"]}
            after = page["next"]
        return public_ids

    def telemetry(self, unit: str, since: datetime, until: datetime) -> list[tuple[str, int, float, int, bool]]:
        """The stored readings of a unit: metric, time (us), value, received (us), late."""
        readings: list[tuple[str, int, float, int, bool]] = []
        after = "0.0"
        while after:
            params = _span(since, until) | {"after": after, "limit": _READINGS}
            page = self._ask("GET", f"/api/units/{unit}/telemetry", params=params)
            readings += [tuple(row) for row in page["readings"]]
            after = page["next"]
        return readings

    def conflicts(self, unit: str, since: datetime, until: datetime) -> list[tuple[str, int, float, int]]:
        """The conflicting readings of a unit: metric, time (us), value, received (us)."""
        page = self._ask("GET", f"/api/units/{unit}/conflicts", params=_span(since, until) | {"limit": _READINGS})
        if len(page["readings"]) == _READINGS:
            raise SimError(f"unit {unit} has {_READINGS:,} contradicting readings or more; compare a shorter run")
        return [tuple(row) for row in page["readings"]]

    def quarantine(self, since: datetime) -> tuple[list[Row], bool]:
        """Quarantined messages since a time, and whether some of them may have been dropped already."""
        rows = list(self._newest("/api/quarantine", "messages", "received_at", since))
        older = self._ask("GET", "/api/quarantine", params={"before": rows[-1]["id"], "limit": 1}) if rows else None
        trimmed = older is not None and not older["messages"] and rows[-1]["id"] != "1"
        return rows, trimmed

    def alarms(self, since: datetime) -> list[Row]:
        """Alarms judged since a time."""
        return list(self._newest("/api/alarms", "alarms", "judged_at", since, begin="after", sort="newest"))

    def ledger(self, since: datetime) -> list[Row]:
        """Outcomes of the stages since a time."""
        return list(self._newest("/api/ledger", "lines", "at", since))

    def notices(self, since: datetime) -> list[Row]:
        """Notices since a day before a time, since an alarm may have joined an older one."""
        return list(self._newest("/api/feed", "notices", "created_at", since - timedelta(days=1)))

    def deliveries(self, since: datetime) -> list[Row]:
        """Deliveries recorded since a day before a time."""
        return list(self._newest("/api/deliveries", "deliveries", "recorded_at", since - timedelta(days=1)))

    def trimmed(self, since: datetime) -> dict[str, int]:
        """The numbers of messages dropped from a full quarantine since a time, by reason."""
        counts: dict[str, int] = {}
        after = "0"
        while True:
            page = self._ask("GET", "/api/events", params={"after": after, "limit": _PAGE})
            for event in page["events"]:
                if event["kind"] == "quarantine.trimmed" and moment(event["at"]) >= since:
                    for reason, count in event["data"]["reasons"].items():
                        counts[reason] = counts.get(reason, 0) + count
            if page["next"] == after:
                return counts
            after = page["next"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _newest(
        self, path: str, name: str, at: str, since: datetime, *, begin: str = "before", **asked: str
    ) -> Iterator[Row]:
        """Yields the rows of a list with the newest first, page by page, down to a time.

        `begin` is the parameter that says where a page begins.
        """
        place: str | None = None
        while True:
            page = self._ask("GET", path, params=asked | {"limit": _PAGE} | ({begin: place} if place else {}))
            for row in page[name]:
                if moment(row[at]) < since:
                    return
                yield row
            place = page["next"]
            if place is None:
                return

    def _ask(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise SimError(f"no gateway answers at {self.url} ({error})") from None
        if response.is_success:
            return response.json()
        try:
            detail = response.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = response.reason_phrase
        raise SimError(f"{self.url}{path} answers {response.status_code}: {detail}")


def key(product: str, serial: str) -> str:
    """A unit's name with its serial in canonical form: without spaces and dashes, in upper case."""
    plain = re.sub(r"[\s\-\u2010-\u2015]+", "", unicodedata.normalize("NFKC", serial)).upper()
    return f"{product}/{plain}"


def moment(text: str) -> datetime:
    """Converts a time of the API."""
    return datetime.fromisoformat(text)


def _span(since: datetime, until: datetime) -> dict[str, Any]:
    return {"since": since.isoformat(), "until": until.isoformat()}
