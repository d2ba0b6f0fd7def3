"""`gateway receipts`: count a unit's numbered messages anew, after a defect set its count of starts far too high."""

import argparse

from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.errors import BadInput, NotFound
from gateway.core.serial import canonical_serial
from gateway.store import connect


def add(commands: Commands) -> None:
    """Add the command."""
    counts = commands.add_parser("receipts", help="what is counted of the messages that devices number")
    anew = counts.add_subparsers(metavar="ACT", required=True).add_parser("reset", help="count a unit anew")
    anew.add_argument("unit", metavar="PRODUCT/SERIAL")
    anew.set_defaults(run=_receipts_reset)


def _receipts_reset(arguments: argparse.Namespace, settings: Settings) -> int:

    print("\n".join(reset(database_url(settings), arguments.unit)))
    return 0


def reset(url: str, unit: str) -> list[str]:
    """Have ingest forget what was counted of PRODUCT/SERIAL; raises BadInput, or NotFound without such a unit."""
    from gateway.events import append
    from gateway.ingest import repository as ingest

    product, _, printed = unit.partition("/")
    try:
        serial = canonical_serial(printed)
    except ValueError as error:
        raise BadInput(f"Write the unit as PRODUCT/SERIAL: {error}.") from error
    with connect(url, "gateway-receipts") as connection, connection.transaction():
        row = ingest.ask_receipt_reset(connection, product, serial)
        if row is None:
            raise NotFound(f"There is no unit {product}/{serial}; see its product code and serial in the units file.")
        if row["boot"] is None:
            return [f"Nothing was counted of {product}/{serial} yet."]
        append(connection, "receipt.reset_asked", {"boot": row["boot"]}, actor="cli", unit_id=row["unit_id"])
    return [
        f"Ingest forgets boot {row['boot']} of {product}/{serial} within a second.",
        "Its next message with a number is counted anew, whatever its boot, and gets a receipt.",
    ]
