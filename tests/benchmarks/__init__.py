"""Benchmarks: they print figures and judge nothing. `make bench` runs all, `python -m tests.benchmarks NAME` one."""
