"""What a dead process leaves in the folder that all share. Apart from metrics.py, whose library needs 0.1 s to load."""

from pathlib import Path


def forget_process(folder: Path, pid: int) -> None:
    """Drop the gauges of a process that died; its counters stay, they are part of the totals.

    The file names are prometheus_client's (multiprocess.mark_process_dead, 0.26).
    """
    for file in folder.glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
