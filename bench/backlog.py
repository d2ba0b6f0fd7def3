"""The messages of a timing: most are new, some are of long ago, some are sent twice."""

import json
from dataclasses import dataclass

HOT_EVERY = 997
"""One message in so many crosses the first rule's limit; its unit's next message clears the alarm."""
LATE_AT = 40
"""Of a hundred messages the one that is of an earlier day: 1 %."""
AGAIN_AT = (80, 90)
"""Of a hundred messages of every second round the ones that were sent in the round before: 1 %."""

_DAY_MS = 86_400_000


def serial(unit: int) -> str:
    """The serial of unit 0, 1, ..."""
    return f"B{unit:06}"


def telemetry_topic(printed: str) -> str:
    """Where the unit of this serial publishes."""
    return f"m2m/v1/bench/{printed}/telemetry"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages from number `first` up to `messages`; every second unit leaves the time to the gateway."""

    messages: int
    units: int
    start_ms: int
    first: int = 0
    history_days: int = 0
    """Late messages are spread over so many days before the start; with 0 they are some minutes old."""
    again: bool = True
    """Whether some are sent twice; the second has the number of the first."""

    def alarms(self, rules: int) -> int:
        """How many alarms they raise."""
        return sum(self._is_hot(number) for number in range(self.first, self.messages)) if rules else 0

    def different(self) -> int:
        """How many messages there are without those that are sent a second time."""
        return sum(not self._is_again(number) for number in range(self.first, self.messages))

    def newest(self) -> int:
        """The last number that becomes the newest reading of its unit."""
        return next(
            number
            for number in range(self.messages - 1, self.first - 1, -1)
            if not (self._is_late(number) or self._is_again(number))
        )

    def topic(self, number: int) -> str:
        """Where the message is published."""
        return telemetry_topic(serial(number % self.units))

    def payload(self, number: int) -> bytes:
        """The message."""
        if self._is_again(number):
            number -= self.units
        time_part = {"ts": self._time_ms(number)} if self._has_time(number) else {}
        values = {
            "number": number,
            "temp_c": 95.5 if self._is_hot(number) else 20 + number % 500 / 10,
            "pressure_bar": 1 + number % 70 / 10,
        }
        return json.dumps(time_part | {"values": values}, separators=(",", ":")).encode()

    def _has_time(self, number: int) -> bool:
        return number % self.units % 2 == 0

    def _is_late(self, number: int) -> bool:
        return self._has_time(number) and number % 100 == LATE_AT and number >= self.units

    def _is_again(self, number: int) -> bool:
        has_first = number - self.units >= self.first and number // self.units % 2 == 1
        return self.again and has_first and self._has_time(number) and number % 100 in AGAIN_AT

    def _is_hot(self, number: int) -> bool:
        return number % HOT_EVERY == 0 and not (self._is_late(number) or self._is_again(number))

    def _time_ms(self, number: int) -> int:
        now_ms = self.start_ms + number // self.units
        if not self._is_late(number):
            return now_ms
        return now_ms - (_DAY_MS * (1 + number // 100 % self.history_days) if self.history_days else 300_000)
