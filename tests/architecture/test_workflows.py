"""The workflows of a forge only call what can be run anywhere: .ci/run, make, the Dockerfile."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def commands(workflow: Path) -> list[str]:
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def test_a_change_and_a_release_are_checked_by_the_one_script() -> None:
    assert {workflow.stem for workflow in WORKFLOWS} == {"check", "release"}
    for workflow in WORKFLOWS:
        assert "bash .ci/run" in commands(workflow)
        assert any(command.startswith("docker build") for command in commands(workflow))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_each_make_target_that_is_called_exists(workflow: Path) -> None:
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": " in line}
    called = {word for line in commands(workflow) if line.startswith("make ") for word in line.split()[1:]}
    assert called <= targets
