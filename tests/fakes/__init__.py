"""Ports without I/O, named like the real ones and running the real deciders. For tests of adapters and use cases."""
