"""The log of a run for the comparison: good messages by topic, poison counted by topic and reason."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from device_sim.run.folder import read_messages


@dataclass(frozen=True, slots=True)
class Message:
    """A message with readings; `sent` are the times it was sent, in milliseconds since the run began."""

    number: int
    ts_us: int
    values: Mapping[str, float]
    sent: tuple[float, ...]
    must_be_stored: bool
    """Whether it must be stored: the broker took it, or, if the device waits for receipts, a receipt covers it."""
    kind: str

    @property
    def is_sent_once(self) -> bool:
        """Whether it was sent only once, so that its position in the order is certain."""
        return self.must_be_stored and len(self.sent) == 1


@dataclass(slots=True)
class Poison:
    """How many messages of one topic must be refused for one reason, at least and at most."""

    least: int = 0
    most: int = 0
    unheard: bool = False
    first_ms: float = 0.0


@dataclass(slots=True)
class Sent:
    """All messages that the devices sent."""

    by_topic: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    poison: dict[tuple[str, str], Poison] = field(default_factory=dict)
    messages: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    seconds: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """By second of the run, the numbers of good messages and of poison."""
    waits: list[float] = field(default_factory=list)
    """A sample of the milliseconds from publish to PUBACK."""

    def of(self, topic: str) -> list[Message]:
        """Returns the messages with readings of a topic, in the order of their first sending."""
        return sorted((_message(orjson.loads(line)) for line in self.by_topic[topic]), key=lambda message: message.sent)


_SAMPLE = 101
_UNHEARD = "never heard"


def read_sent(folder: Path) -> Sent:
    """Read messages.jsonl, without messages that were never sent."""
    sent = Sent()
    for line in read_messages(folder):
        if not line["sent"]:
            continue
        sent.messages += 1
        is_good = "values" in line
        name = line["kind"] if is_good else f"poison: {line['kind']}"
        sent.kinds[name] = sent.kinds.get(name, 0) + 1
        sent.seconds[int(line["sent"][0] // 1_000)][not is_good] += 1
        if line["acked"] is not None and (sent.messages % _SAMPLE == 0 or sent.messages <= _SAMPLE):
            sent.waits.append(line["acked"] - max(at for at in line["sent"] if at <= line["acked"]))
        if is_good:
            sent.by_topic[line["topic"]].append(orjson.dumps(line))
        else:
            _count(sent.poison, line)
    return sent


def _count(poison: dict[tuple[str, str], Poison], line: dict[str, Any]) -> None:
    unheard = line.get("heard") is False
    key = (line["topic"], line.get("refused") or _UNHEARD)
    entry = poison.setdefault(key, Poison(unheard=unheard, first_ms=line["sent"][0]))
    entry.least += _must_be_stored(line)
    entry.most += len(line["sent"])


def _message(line: dict[str, Any]) -> Message:
    sent = tuple(line["sent"])
    return Message(line["n"], line["ts"] * 1_000, line["values"], sent, _must_be_stored(line), line["kind"])


def _must_be_stored(line: dict[str, Any]) -> bool:
    if "seq" in line:
        return line["receipted"] is not None
    return line["acked"] is not None and "code" not in line


def topics_of(sent: Sent) -> Iterator[str]:
    """Yields every topic that the run sent to."""
    yield from sent.by_topic
    yield from (topic for topic, _ in sent.poison)
