"""`python -m tests.benchmarks [NAME ...]`: run benchmarks one after the other and print their figures."""

import platform
import sys
import time
from importlib import import_module

BENCHMARKS = ("append", "gateway", "projection", "memory", "open_streams", "estimates", "idle")


def main(names: list[str]) -> None:
    for name in names or BENCHMARKS:
        started = time.monotonic()
        print(f"\n== {name} == Python {platform.python_version()} on {platform.machine()}")
        import_module(f"tests.benchmarks.bench_{name}").run()
        print(f"({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main(sys.argv[1:])
