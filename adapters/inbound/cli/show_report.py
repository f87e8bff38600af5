"""A verification's verdict, for people."""

from adapters.inbound.cli.tables import console, table
from application.verify_ledger import Report

ONE_ROLE = "note: one database role owns everything; nothing but a trigger keeps the log from being changed"


def show_report(report: Report) -> None:
    out = console()
    models = table(f"Log: {report.standing.head} events", "read model", "position", "lag")
    for model in report.standing.read_models:
        models.add_row(model.name, str(model.position), f"{model.lag_s:.3f} s")
    out.print(models)
    if report.standing.runs_as_one_role:
        out.print(ONE_ROLE)
    for finding in report.findings:
        out.print(str(finding), style="red")
    out.print("clean" if report.is_clean else f"NOT clean: {len(report.findings)} findings", style="bold")
