"""The folder of a run: run.json, messages.jsonl with a line for each message, truth.jsonl with the faults."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from device_sim.errors import SimError
from device_sim.run.sending import Sending

RUN, MESSAGES, TRUTH = "run.json", "messages.jsonl", "truth.jsonl"
FORMAT = 1
_PAYLOAD_BYTES_MAX = 200  # the most bytes written of a poisonous payload
_LINES_IN_MEMORY = 2_000


class Folder(AbstractContextManager["Folder"]):
    """A folder that is written during a run. Each message is appended to messages.jsonl once it has its answer."""

    def __init__(self, path: Path) -> None:
        """Make the folder. Raises SimError when it exists and is not empty."""
        self.path = path
        self._lines: list[bytes] = []
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise SimError(f"{path} is not empty; name another folder with --out")
            self._file = (path / MESSAGES).open("ab")
        except OSError as error:
            raise SimError(f"cannot write {path}: {error.strerror}") from error

    def note(self, facts: dict[str, Any]) -> None:
        """Write run.json atomically."""
        new_file = self.path / f"{RUN}.new"
        new_file.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
        new_file.replace(self.path / RUN)

    def write(self, sending: Sending) -> None:
        """Note a message and its answer."""
        self._lines.append(line(sending))
        if len(self._lines) >= _LINES_IN_MEMORY:
            self.flush()

    def flush(self) -> None:
        """Write the collected lines to the file."""
        self._file.write(b"".join(self._lines))
        self._file.flush()
        self._lines.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        self._file.close()


def line(sending: Sending) -> bytes:
    """Returns the line of a message in messages.jsonl; times are milliseconds since the run began."""
    if len(sending.sent) == 1 and sending.acked is not None and sending.values and not sending.code:
        # Nearly all messages are of this kind, and formatting takes a tenth of the time of a JSON library.
        return b'{"n":%d,"topic":"%b","kind":"%b","ts":%d,"values":%b,"sent":[%.3f],"acked":%.3f%b}\n' % (
            sending.number, sending.topic.encode(), sending.kind.encode(), sending.ts or 0, sending.values,
            sending.sent[0], sending.acked, _receipt(sending) if sending.seq else b"",
        )  # fmt: skip
    document: dict[str, Any] = {"n": sending.number, "topic": sending.topic, "kind": sending.kind}
    if sending.values:
        document |= {"ts": sending.ts, "values": json.loads(sending.values)}
    else:
        document |= {
            "payload": sending.payload[:_PAYLOAD_BYTES_MAX].decode("utf-8", "replace"),
            "size": len(sending.payload),
        }
    if sending.refused is not None:
        document["refused"] = sending.refused
    if not sending.heard:
        document["heard"] = False
    if sending.code:
        document["code"] = sending.code
    document["sent"] = [round(at, 3) for at in sending.sent]
    document["acked"] = None if sending.acked is None else round(sending.acked, 3)
    tail = _receipt(sending) if sending.seq else b""
    return json.dumps(document, separators=(",", ":")).encode()[:-1] + tail + b"}\n"


def _receipt(sending: Sending) -> bytes:
    """Returns the fields on the receipt of a message with a seq."""
    receipted = b"null" if sending.receipted is None else b"%.3f" % sending.receipted
    return b',"seq":%d,"receipted":%b%b' % (sending.seq, receipted, b',"given_up":true' if sending.given_up else b"")


def read_run(folder: Path) -> dict[str, Any]:
    """Returns run.json. Raises SimError when there is none, or when it has another format."""
    try:
        facts: dict[str, Any] = json.loads((folder / RUN).read_bytes())
    except (OSError, ValueError) as error:
        raise SimError(f"{folder} is no folder of a run: {getattr(error, 'strerror', None) or error}") from None
    if facts.get("format") != FORMAT:
        raise SimError(f"{folder} was written by another version (format {facts.get('format')}, not {FORMAT})")
    return facts


def read_messages(folder: Path) -> Iterator[dict[str, Any]]:
    """Yields the lines of messages.jsonl. Raises SimError when one cannot be read."""
    try:
        with (folder / MESSAGES).open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    yield orjson.loads(text)
                except orjson.JSONDecodeError as error:
                    raise SimError(f"{folder / MESSAGES} line {number}: {error}") from None
    except OSError as error:
        raise SimError(f"cannot read {folder / MESSAGES}: {error.strerror}") from None


def read_truth(folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of truth.jsonl; none when the run had no faults."""
    try:
        return [json.loads(text) for text in (folder / TRUTH).read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise SimError(f"cannot read {folder / TRUTH}: {error}") from None
