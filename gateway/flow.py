"""The page to read first: the road from a reading to a notice, stage by stage.

Docs, log lines (`stage=`), the ledger and the console use these names. The stages up to `acknowledge` run in the
ingest role (app/ingest.py), the others in the worker role (notify/service.py and notify/outbox.py).
"""

from gateway.notify.address import address
from gateway.notify.merge import merge
from gateway.notify.model import Stage
from gateway.notify.rate import rate

INGEST = (
    Stage("receive", "Take messages from the broker in micro-batches; know redelivered ones again (m2m/)."),
    Stage(
        "decode", "Turn payloads into columns; what cannot be read goes to quarantine with a reason (m2m/decode.py)."
    ),
    Stage("judge", "Ask every rule of the product, in event time; nothing changes yet (rules/evaluator.py)."),
    Stage("store", "Commit readings, alarm changes, journal, quarantine and events in one transaction."),
    Stage("acknowledge", "Only now tell the broker, in the order of arrival."),
)

NOTICE = (
    Stage("address", "Find whom the alarm concerns.", address),
    Stage("merge", "Let an alarm that comes again join the notice that is there.", merge),
    Stage("rate", "Hold what would be a flood for one person.", rate),
)

TELL = (
    Stage("record", "Write feed item, outbox rows and ledger line in one transaction (notify/record.py)."),
    Stage("deliver", "Claim, send and record, channel by channel; ask again what was held (notify/outbox.py)."),
    Stage("show", "Send the event to every open stream; it is readable from any point (api/stream.py)."),
)

READING_TO_NOTICE = INGEST + NOTICE + TELL
