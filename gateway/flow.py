"""The page to read first: the two roads, from a reading and from a recall to a notice, stage by stage.

Docs, log lines (`stage=`), the ledger and the console use these names. The stages up to `acknowledge` run in the
ingest role (ingest/ingest.py), those up to `freeze` in the api role (campaigns/), the others in the worker role
(notify/alarms.py, campaigns/tell.py and notify/send/outbox.py).
"""

from gateway.notify.model import Stage
from gateway.notify.stages.address import address
from gateway.notify.stages.merge import merge
from gateway.notify.stages.rate import rate

INGEST = (
    Stage("receive", "Take messages from the broker in micro-batches; know redelivered ones again (m2m/)."),
    Stage(
        "decode", "Turn payloads into columns; what cannot be read goes to quarantine with a reason (m2m/decoders/)."
    ),
    Stage("judge", "Ask every rule of the product, in event time; nothing changes yet (rules/evaluator.py)."),
    Stage("store", "Commit readings, alarm changes, journal, quarantine and events in one transaction."),
    Stage("acknowledge", "Only now tell the broker, in the order of arrival."),
)

CAMPAIGN = (
    Stage("draft", "Write what is wrong, what to do and whom it concerns; nobody is told (campaigns/service.py)."),
    Stage("check", "Name what is missing, and count the units, the owners and how they are reached."),
    Stage("approve", "A second person types the number of units (campaigns/publish.py)."),
    Stage("freeze", "In that transaction keep the audience unit by unit; each is due to be told."),
)

NOTICE = (
    Stage("address", "Find whom it concerns: the owner of the unit.", address),
    Stage("merge", "Tell nobody twice: an alarm that comes again joins the notice that is there.", merge),
    Stage("rate", "Hold what would be a flood for one person.", rate),
)

TELL = (
    Stage("record", "Write feed items, outbox rows and ledger lines in one transaction (notify/stages/record.py)."),
    Stage(
        "deliver",
        "Claim, send and record, channel by channel (notify/send/); tell what was held (notify/held.py).",
    ),
    Stage("show", "Send the event to every open stream; it is readable from any point (api/stream/staff.py)."),
)

READING_TO_NOTICE = INGEST + NOTICE + TELL
RECALL_TO_NOTICE = CAMPAIGN + NOTICE + TELL
ROADS = {"reading": READING_TO_NOTICE, "recall": RECALL_TO_NOTICE}
