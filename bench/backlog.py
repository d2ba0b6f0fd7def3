"""The messages of a benchmark: most are new, some are old, some are sent twice."""

import json
from dataclasses import dataclass

HOT_EVERY = 997
"""Every message with a multiple of this number crosses the first rule's limit; its unit's next one clears the alarm."""
LATE_AT = 40
"""The one of a hundred messages that is of an earlier day: 1 %."""
REPEATED_AT = (80, 90)
"""The two of a hundred messages in every second round that repeat the last round's: 1 %."""

_DAY_MS = 86_400_000


def serial(unit: int) -> str:
    """The serial of unit 0, 1, ..."""
    return f"B{unit:06}"


def telemetry_topic(printed: str) -> str:
    """The topic of the unit with this serial."""
    return f"m2m/v1/bench/{printed}/telemetry"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages from number `first` up to `messages`; every second unit sends no time."""

    messages: int
    units: int
    start_ms: int
    first: int = 0
    history_days: int = 0
    """The number of days before the start that late messages are from; with 0 they are some minutes old."""
    again: bool = True
    """Whether some are sent twice; the repeat has the number of the first."""

    def alarms(self, rules: int) -> int:
        """The number of alarms that the messages raise."""
        return sum(self._is_hot(number) for number in range(self.first, self.messages)) if rules else 0

    def different(self) -> int:
        """The number of messages without repeats."""
        return sum(not self._is_repeat(number) for number in range(self.first, self.messages))

    def newest(self) -> int:
        """The last number that becomes the newest reading of its unit."""
        return next(
            number
            for number in range(self.messages - 1, self.first - 1, -1)
            if not (self._is_late(number) or self._is_repeat(number))
        )

    def topic(self, number: int) -> str:
        """The topic of a message."""
        return telemetry_topic(serial(number % self.units))

    def payload(self, number: int) -> bytes:
        """The payload of a message."""
        if self._is_repeat(number):
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

    def _is_repeat(self, number: int) -> bool:
        is_second_round = number - self.units >= self.first and number // self.units % 2 == 1
        return self.again and is_second_round and self._has_time(number) and number % 100 in REPEATED_AT

    def _is_hot(self, number: int) -> bool:
        return number % HOT_EVERY == 0 and not (self._is_late(number) or self._is_repeat(number))

    def _time_ms(self, number: int) -> int:
        now_ms = self.start_ms + number // self.units
        if not self._is_late(number):
            return now_ms
        return now_ms - (_DAY_MS * (1 + number // 100 % self.history_days) if self.history_days else 300_000)
