"""How a command gives up: one clear line for a human (what, where, what to do) and an exit code."""

CANNOT = 1
"""It could not be done."""

WRONG_INPUT = 2
"""It was asked for wrongly: a setting, an argument, a file. Trying again changes nothing."""


class Complaint(Exception):
    """`str(complaint)` is the line. No traceback is shown for it; never carries a secret."""

    def __init__(self, line: str, exit_code: int = CANNOT) -> None:
        super().__init__(" ".join(line.split()))
        self.exit_code = exit_code
