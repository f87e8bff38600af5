"""Logs: one line per event on stderr, JSON unless a person is looking."""

import json
import subprocess
import sys

LOGGING = """
import logging
from adapters.outbound.telemetry.logs import configure_logs
configure_logs("api", "{form}", "{level}")
import structlog
structlog.get_logger().info("started", pid=7)
logging.getLogger("httpx").info("HTTP Request: POST https://api.example.com?key=k")
logging.getLogger("uvicorn.error").warning("%s connections", 3)
"""


def logged(form: str, level: str = "info", more: str = "") -> list[str]:
    code = LOGGING.format(form=form, level=level) + more
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "", "stdout is for what a verb was asked for"
    return done.stderr.splitlines()


def test_each_event_is_one_line_of_json() -> None:
    ours, library = map(json.loads, logged("auto"))
    assert (ours["process"], ours["event"], ours["pid"], ours["level"]) == ("api", "started", 7, "info")
    assert (library["event"], library["level"]) == ("3 connections", "warning")


def test_a_person_gets_text() -> None:
    lines = logged("console")
    assert len(lines) == 2
    assert "started" in lines[0]
    assert not lines[0].startswith("{")


def test_an_error_in_paragraphs_is_one_line_for_a_person_too() -> None:
    told = "lost:\\n\\tThis probably means\\n\\tthe worst"
    lines = logged(
        "console",
        more=f'structlog.get_logger().error("gone", error="{told}"); logging.getLogger("pool").error("{told}")',
    )
    assert len(lines) == 4
    assert all("lost: This probably means the worst" in line for line in lines[2:])


def test_what_is_below_the_level_is_left_out() -> None:
    assert len(logged("json", "error")) == 0
