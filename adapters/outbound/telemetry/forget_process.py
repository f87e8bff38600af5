"""Remove a dead process's gauges from the shared folder. Not in metrics.py: its library takes 0.1 s to load."""

from pathlib import Path


def forget_process(folder: Path, pid: int) -> None:
    """Delete the gauges of a process that died; its counters stay, since they are part of the totals.

    The file names are prometheus_client's (multiprocess.mark_process_dead, 0.26).
    """
    for file in folder.glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
