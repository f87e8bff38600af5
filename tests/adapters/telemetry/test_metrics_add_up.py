"""P6: metrics are exact over several processes, also when one of them is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from adapters.outbound.telemetry.forget_process import forget_process
from adapters.outbound.telemetry.metrics import Metrics, Sample
from adapters.outbound.telemetry.spans import NoSpans
from adapters.outbound.telemetry.telemetry import PrometheusTelemetry
from domain.credit.events import Attempt
from tests.adapters.telemetry.refusals import refusal

ROOT = Path(__file__).parents[3]
COUNTING = Path(__file__).with_name("counting_process.py")


def told(metrics: Metrics) -> dict[str, float]:
    """Each sample of the exposition by its name and labels."""
    lines = metrics.exposition()[0].decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def counting(folder: Path, times: int) -> "subprocess.Popen[str]":
    """A process that counted `times` requests of 3 nUSD and an append of 5 commands with 7 waiting, and lives on."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, COUNTING, str(times)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def test_p6_counters_of_all_processes_add_up_and_outlive_a_kill(tmp_path: Path) -> None:
    processes = [counting(tmp_path, times) for times in (1, 10, 100)]
    processes[1].send_signal(signal.SIGKILL)
    processes[1].communicate()
    samples = told(Metrics(tmp_path))
    requests = 'gatewayz_requests_total{model="a/m",outcome="settled",provider="a",streamed="true"}'
    assert samples[requests] == 111
    assert samples["gatewayz_charges_nusd_total"] == 333
    assert samples['gatewayz_refusals_total{code="overloaded"}'] == 3
    assert samples["gatewayz_append_commands_sum"] == 15
    assert samples["gatewayz_append_seconds_count"] == 3
    assert samples["gatewayz_append_queue_depth"] == 21, "the dead one's is still there ..."
    forget_process(tmp_path, processes[1].pid)
    assert told(Metrics(tmp_path))["gatewayz_append_queue_depth"] == 14, "... until it is forgotten"
    assert told(Metrics(tmp_path))[requests] == 111
    for process in (processes[0], processes[2]):
        process.communicate("")


def test_a_process_alone_needs_no_folder() -> None:
    metrics = Metrics()
    telemetry = PrometheusTelemetry(metrics, NoSpans(), owed_alarm_nusd=100)
    telemetry.settled("a/m", "a", 3, estimated=True, streamed=False)
    telemetry.refused(refusal("insufficient_credits"))
    telemetry.provider_failed("a/m", "gen-1", Attempt(provider="a", error_class="server_error", status=500))
    samples = told(metrics)
    assert samples['gatewayz_requests_total{model="a/m",outcome="estimated",provider="a",streamed="false"}'] == 1
    assert samples['gatewayz_refusals_total{code="insufficient_credits"}'] == 1
    assert samples['gatewayz_provider_failures_total{error_class="server_error",provider="a"}'] == 1
    assert samples["gatewayz_charges_nusd_total"] == 3


def test_an_account_that_comes_to_owe_more_than_the_threshold_is_one_alarm() -> None:
    metrics = Metrics()
    telemetry = PrometheusTelemetry(metrics, NoSpans(), owed_alarm_nusd=100)
    with capture_logs() as logs:
        for amount_nusd, owed_nusd in ((100, 100), (1, 101), (50, 151)):
            telemetry.fell_short("acct", amount_nusd, owed_nusd)
    assert told(metrics)["gatewayz_shortfalls_nusd_total"] == 151
    assert told(metrics)["gatewayz_owed_alarms_total"] == 1
    assert [(line["log_level"], line["account_id"], line["owed_usd"]) for line in logs] == [
        ("error", "acct", "0.000000101")
    ]


def test_what_the_database_says_is_told_only_while_it_answers() -> None:
    metrics = Metrics()
    assert "gatewayz_open_reservations" not in told(metrics)
    metrics.sample = Sample(open_reservations=4, projection_lag_s=0.25)
    assert told(metrics)["gatewayz_open_reservations"] == 4
    assert told(metrics)["gatewayz_projection_lag_seconds"] == 0.25


def test_a_process_that_just_starts_has_an_empty_file(tmp_path: Path) -> None:
    """It failed the scrape of the others, and their start."""
    process = counting(tmp_path, 10)
    for kind in ("counter", "gauge_liveall", "histogram"):
        (tmp_path / f"{kind}_9999999.db").touch()
    assert told(Metrics(tmp_path))["gatewayz_charges_nusd_total"] == 30
    process.communicate("")


def test_each_event_of_a_page_counts_with_its_own_lag() -> None:
    metrics = Metrics()
    metrics.projected([40, 90, 900])
    samples = told(metrics)
    assert [samples[f'gatewayz_projection_seconds_bucket{{le="{le}"}}'] for le in ("0.05", "0.1", "1.0")] == [1, 2, 3]


def test_the_content_type_is_prometheus_text() -> None:
    assert Metrics().exposition()[1].startswith("text/plain; version=0.0.4")
