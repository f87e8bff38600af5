"""Prints the report of a verification, for people."""

from adapters.inbound.cli.render.page import TerminalPage
from application.audit.verify_ledger import ReadModelState, Report
from domain.proof.access import Access

ONE_ROLE = "note: one database role owns everything; nothing but a trigger keeps the log from being changed"

MOST_CLAMPED = 20
"""Clamped values that the page lists. They are not faults, and a long list would hide real ones."""


def show_report(report: Report) -> None:
    page = TerminalPage()
    models = [
        (model.name, _build(model), str(model.position), f"{model.lag_s:.3f} s") for model in report.state.read_models
    ]
    page.rows(f"Log: {report.state.head} events", ("read model", "build", "position", "lag"), models)
    if report.state.runs_as_one_role:
        page.line(ONE_ROLE)
    if report.access is not None:
        page.line(_access(report.access))
    for clamped in report.clamped[:MOST_CLAMPED]:
        page.line(str(clamped))
    if len(report.clamped) > MOST_CLAMPED:
        page.line(f"clamped: {len(report.clamped) - MOST_CLAMPED} more values, all in --json")
    for finding in report.findings:
        page.line(str(finding), style="red")
    page.line("clean" if report.is_clean else f"NOT clean: {len(report.findings)} findings", style="bold")


def _access(access: Access) -> str:
    how = "checked with the keyring" if access.has_keyring else "checked for presence only: there is no keyring here"
    return (
        f"Claims and data keys, {how}: accounts {access.accounts} ({access.accounts_not_committed} not committed),"
        f" keys {access.keys} ({access.keys_not_committed})"
    )


def _build(model: ReadModelState) -> str:
    return f"v{model.version}" if model.is_active else f"v{model.version}, not active"
