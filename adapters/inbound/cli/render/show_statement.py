"""Prints a statement, for people: lots, reserve and settle of each request, and the available credit."""

from datetime import datetime

from adapters.inbound.cli.render.page import TerminalPage
from application.credit.show_statement import ShownLot, ShownStatement
from application.reads.generations import GenerationRecord
from domain.money import format_usd
from domain.pricing.usage import input_tokens, output_tokens

LOTS = ("lot", "kind", "granted", "burnt", "held", "available", "expires", "source", "reason")
REQUESTS = (
    "at (UTC)",
    "generation",
    "model",
    "stream",
    "reserved @position",
    "ended @position",
    "tokens in/out",
    "cost",
)


def show_statement(view: ShownStatement) -> None:
    page = TerminalPage()
    title = f"Account {view.username} ({view.account_id}), as of position {view.position}; amounts in USD"
    page.line(title, style="bold")
    page.rows("Lots", LOTS, [_lot(lot) for lot in view.lots])
    page.rows("Requests", REQUESTS, [_request(request) for request in view.requests])
    credit = view.credits
    page.line(
        f"granted ${format_usd(credit.granted_nusd)}  settled ${format_usd(credit.settled_nusd)}"
        f"  expired ${format_usd(credit.expired_nusd)}  held ${format_usd(credit.held_nusd)}"
    )
    if credit.owed_nusd:
        page.line(f"owed ${format_usd(credit.owed_nusd)}: the next purchased grant pays it")
    page.line(f"available ${format_usd(view.available_nusd)}", style="bold")


def _lot(lot: ShownLot) -> tuple[str, ...]:
    amounts = (lot.granted_nusd, lot.burnt_nusd, lot.held_nusd, lot.available_nusd)
    expires = _time(lot.expires_at) if lot.expires_at else "never"
    return (lot.lot_id[-8:], lot.kind, *map(format_usd, amounts), expires, lot.source, lot.reason)


def _request(request: GenerationRecord) -> tuple[str, ...]:
    end = "open" if request.end_position is None else f"{request.status} @{request.end_position}"
    return (
        _time(request.reserved_at),
        f"…{request.reservation_id[-8:]}",
        request.model,
        "yes" if request.streamed else "no",
        f"{format_usd(request.reserved_nusd)} @{request.reserve_position}",
        end,
        f"{input_tokens(request.usage)}/{output_tokens(request.usage)}",
        format_usd(request.paid_nusd) + (" estimated" if request.estimated else ""),
    )


def _time(moment: datetime) -> str:
    return f"{moment:%m-%d %H:%M:%S}"
