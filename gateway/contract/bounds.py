"""Every table and what bounds it; docs/retention.md is made from it, and a test fails on a table that is not here.

Whoever adds a table adds its line: what its rows are limited by, and who deletes them where that is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """What limits the rows of a table; `kept` says for how long and by whom, where rows are deleted."""

    rows: str
    kept: str = "for ever"


_HOURLY = "the worker deletes them hourly"

BOUNDS: Mapping[str, Bound] = {
    # Products and units
    "product": Bound("one for each product file"),
    "product_picture": Bound("one for each product that has one, of 200 kB at most", "as long as its file names one"),
    "metric": Bound("one for each metric name, 32,767 at most"),
    "product_metric": Bound("the metrics that a product's file names", "as long as the file names them"),
    "catalog_revision": Bound(
        "one for each change of products or rules", "the newest 1,000; the next change deletes them"
    ),
    "product_revision": Bound("one for each change of a product or its rules", "while ingest may judge by it again"),
    "product_revision_metric": Bound("the metrics of each revision of a product", "as long as the revision"),
    "product_suspension": Bound("one for each product that cannot be judged", "until it is judged again"),
    "unit": Bound("one for each item that was made"),
    "claim_code": Bound("one for each unit"),
    "receipt": Bound("one for each unit"),
    "unit_message": Bound("twenty for each unit, a ring"),
    "unit_firmware": Bound("twenty for each unit, a ring"),
    "unit_silence": Bound("one for each silent unit", "until the worker finds that it was heard again"),
    "unit_pass": Bound("one row"),
    "unit_figure": Bound(
        "one for each product, lot and firmware, of two passes at most", "until the worker has counted again"
    ),
    "alarm_figure": Bound("one for each rule, firmware and day", "90 days; the worker deletes them each minute"),
    "alarm_counted": Bound("one row"),
    "firmware_waiting": Bound("one for each unit", "until the unit's row is free, seconds"),
    "latest": Bound("one for each unit and metric"),
    # People
    "person": Bound("one for each owner or member of the staff"),
    "ownership": Bound("one for each time that a unit changes hands"),
    "account": Bound("one for each person who signs in"),
    "identity": Bound("one for each account and way to sign in"),
    "preference": Bound("one for each person"),
    "push_token": Bound("`push_tokens_max` for each person", f"retired ones `delivery_history`; {_HOURLY}"),
    "suppression": Bound("one for each address that wants no mail", "as long as the wish counts"),
    "session": Bound("`sessions_max` for each account", f"`session_life`; {_HOURLY}"),
    "sign_in_code": Bound(
        "one for each code that was asked for, within the limits on tries",
        f"`code_life` or `invitation_life`; {_HOURLY}",
    ),
    "known_browser": Bound("`browsers_max` for each account", f"`browser_life` after the last sign-in; {_HOURLY}"),
    "attempt": Bound("what the limits on tries let through", f"a day; {_HOURLY}"),
    "letter": Bound("one for each code, invitation or note", f"`letter_history` after it ended; {_HOURLY}"),
    # Readings
    "telemetry": Bound("what devices send", f"`history_max`, or the product's `raw`; {_HOURLY}, a day at a time"),
    "rollup_hour": Bound(
        "one for each hour, unit and metric with readings",
        f"`hour_history`, or the product's `hour`, never shorter than readings; {_HOURLY}, a month at a time",
    ),
    "rollup_day": Bound(
        "one for each day, unit and metric with readings",
        f"`day_history`, or the product's `day`, never shorter than hours; {_HOURLY}, a year at a time",
    ),
    "rollup_mark": Bound("one row"),
    "rollup_touched": Bound(
        "the hours that late readings belong to, once for each batch",
        "until the worker has counted them again, seconds",
    ),
    "rollup_floor": Bound("three for each product that keeps readings shorter than others"),
    "telemetry_waiting": Bound("readings whose day has no room yet", "until ingest has made it, seconds"),
    "conflicting_reading": Bound("1,000 for each unit", f"`history_max`; {_HOURLY}"),
    "conflicting_count": Bound("one for each unit"),
    "quarantine": Bound("`quarantine_max_messages`", "the oldest go first; ingest and the worker delete them"),
    "quarantine_count": Bound("one for each reason"),
    "quarantine_sender": Bound("10,000 rows of sender and reason, those refused last"),
    "ingest_journal": Bound(
        "the batches of the last two rounds of saving, and the last `mqtt_receive_maximum` messages",
        "ingest deletes them",
    ),
    "partition_mark": Bound("64 rows"),
    "unjudged_batch": Bound("what suspended products sent", "until it was judged, `history_max` at most"),
    # Rules and alarms
    "rule_version": Bound("one each time that somebody brings another version of a rule into force"),
    "rule_snapshot": Bound("64 for each product"),
    "alarm": Bound("what rules find", f"`alarm_history` after it cleared and its notices went; {_HOURLY}"),
    "alarm_act": Bound("`alarm_acts_max` for each alarm, and the two that end it", "as long as the alarm"),
    "alarm_due": Bound("one for each active alarm", "until it was looked at"),
    # Notices
    "notice": Bound(
        "what people are told", f"of alarms `notice_history` after it ended; {_HOURLY}; of campaigns for ever"
    ),
    "notice_alarm": Bound("one for each alarm and person", "as long as the notice"),
    "outbox": Bound("one for each notice and channel", "as long as the notice"),
    "delivery_try": Bound("`send_attempts` for each delivery and phone", f"`delivery_history`; {_HOURLY}"),
    "ledger": Bound("one for each decision", f"of alarms `notice_history`; {_HOURLY}; of campaigns for ever"),
    "engagement": Bound(
        "one for each notice, channel and act", f"`engagement_history`; {_HOURLY}; of campaigns for ever"
    ),
    # Campaigns
    "campaign": Bound("500 drafts; what two people published"),
    "campaign_text": Bound("one for each campaign, kind of notice and language"),
    "campaign_number": Bound("one for each kind and year"),
    "campaign_unit": Bound("the units of each published campaign: the record of a recall"),
    "campaign_candidate": Bound("units that match a published campaign later", f"until the campaign ends; {_HOURLY}"),
    "campaign_notice": Bound("one for each notice of a campaign that was delivered, seen or outlived its ownership"),
    "campaign_figure": Bound(
        "a few for each campaign, and those of the statements since", "until the worker sums them, seconds"
    ),
    "ownership_change": Bound("one for each change of an ownership", "until the worker has taken it up, seconds"),
    # The staff
    "staff_look": Bound("`looks_max`", f"`look_history`; {_HOURLY}"),
    "staff_act": Bound("one for each change of an account of the staff", f"`look_history`; {_HOURLY}"),
    "staff_note": Bound("`notes_max` for each unit and person", f"`note_history`; {_HOURLY}"),
    # Jobs
    "job": Bound("one for each import", f"`jobs_kept` after it ended; {_HOURLY}"),
    "import_unit": Bound("`import_max_rows` for each job", "until the job ends"),
    "import_owner": Bound("`import_max_rows` for each job", "until the job ends"),
    "import_change": Bound("the units that a job changed", "until the job ends"),
    # The installation
    "event": Bound("everything that happens", "`event_history`, for ever by default; the worker drops whole months"),
    "event_reader": Bound("one for each reader"),
    "event_place": Bound("one for each event", "as long as its event"),
    "event_waiting": Bound("events that were committed and have no place yet", "until somebody reads, milliseconds"),
    "event_dead_letter": Bound(
        "10,000 for each reader; of more the oldest are given up", "until one of their tries succeeds"
    ),
    "role_beat": Bound("one for each role"),
    "installation_secret": Bound("one for each kind of key"),
    "schema_migration": Bound("one for each migration"),
}

_HEAD = """\
# What is kept, and for how long

<!-- Made from gateway/contract/bounds.py by `gateway schemas`; change it there. -->

Every table has a bound: what its rows are limited by, or a time after which they are deleted. The names in code are
[settings](configuration.md). Maintenance runs hourly in one worker. It deletes the oldest rows first, at most 1,000 of
a table in a transaction, so that neither readings nor notices wait for it. Days of readings, months of their hours,
years of their days and months of events go whole; the quarantine is cut to its limit at once, conflicting readings unit
by unit.

A product's file may say how long its readings are kept, as they are, by hour and by day
(`retention: {raw: 90d, hour: 730d, day: 3650d}`); what it leaves out is as the settings say. Finer ones are never kept
longer than coarser ones. A device may send no readings older than `raw`. What goes whole goes when no product keeps it;
of products that keep it shorter the rows are deleted, some units in a transaction ([what that
costs](performance.md#rollups-and-retention)).

What a recall told whom is kept for ever: the campaign, its audience, its notices, their deliveries and its ledger. Of
an alarm, the notices and what the stages decided are kept for `notice_history`.

| Table | Rows | Kept |
|---|---|---|
"""


def page() -> str:
    """The whole page; the same tables give the same bytes."""
    return _HEAD + "".join(f"| `{table}` | {bound.rows} | {bound.kept} |\n" for table, bound in BOUNDS.items())
