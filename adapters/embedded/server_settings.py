"""Postgres settings for our load: many small durable commits, steady writes, a small machine shared with workers."""

from collections.abc import Mapping
from pathlib import Path

from adapters.embedded.endpoint import HOST, ServerEndpoint

DEFAULTS: Mapping[str, str] = {
    # An answered request is on disk (P1): none of these is ever traded for speed.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A few pools per process on a 2-core machine; each idle connection costs about 2 MB.
    "max_connections": "200",
    # The hot part of ledger and read models; more would take the page cache from them on a small machine.
    "shared_buffers": "256MB",
    # Sorts and hashes of read-model queries stay in memory; 200 connections never sort all at once.
    "work_mem": "8MB",
    # Index builds of migrations and rebuilt read models.
    "maintenance_work_mem": "128MB",
    # Base backups and archiving work without a restart.
    "wal_level": "replica",
    # Steady appends: checkpoints by time, not forced by volume (10 MB/s fill 1 GB, the default, in 100 s) ...
    "max_wal_size": "2GB",
    # ... segments recycled rather than created under load ...
    "min_wal_size": "256MB",
    # ... spread over the whole interval, so that they do not stall commits ...
    "checkpoint_completion_target": "0.9",
    # ... and never more than 5 minutes of log to replay after a kill -9.
    "checkpoint_timeout": "5min",
    # Data is on SSD: an index read costs about as much as a sequential one.
    "random_page_cost": "1.1",
    # Our statements take milliseconds; compiling them costs more than it saves.
    "jit": "off",
    # Queues and read models churn: vacuum before a table is 5 % dead, not 20 %.
    "autovacuum_vacuum_scale_factor": "0.05",
    # Containers have 64 MB of /dev/shm by default, and leave nothing behind there after kill -9.
    "dynamic_shared_memory_type": "mmap",
    # The supervisor's file takes stderr, so that it also has the errors of a failed start.
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

FROM_16: Mapping[str, str] = {
    # Reserved for the role that appends, however many the others take; an API process uses a dozen.
    "reserved_connections": "40",
}


def command_line(settings: Mapping[str, str], endpoint: ServerEndpoint, major: int) -> list[str]:
    """`-c name=value` for postgres: DEFAULTS, overridden by `settings`, which cannot override the endpoint.

    The command line outranks postgresql.conf and ALTER SYSTEM, and no file has to be edited.
    """
    chosen = {**DEFAULTS, **(FROM_16 if major >= 16 else {}), **settings, **_listening(endpoint)}
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def _listening(endpoint: ServerEndpoint) -> dict[str, str]:
    return {
        "listen_addresses": HOST,
        "port": str(endpoint.port),
        "unix_socket_directories": _quoted(endpoint.socket_folder) if endpoint.socket_folder else "",
    }


def _quoted(folder: Path) -> str:
    """The setting is a comma-separated list: quotes keep a folder with commas or spaces in one piece."""
    return '"' + str(folder).replace('"', '""') + '"'
