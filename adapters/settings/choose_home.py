"""Where the data is kept if GATEWAYZ_HOME is not set."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from adapters.embedded import unprivileged_user_can_reach

HOMES_OF_ROOT = Path("/var/lib/gatewayz")


def choose_home(
    default: Path, *, is_embedded: bool, can_reach: Callable[[Path], bool] = unprivileged_user_can_reach
) -> Path:
    """`default`; as root, if the user of Postgres cannot reach it, a folder named after the clone.

    default:      absolute, `<clone>/.gatewayz`. Every verb calls this, so that all find the same home.
    is_embedded:  without the embedded Postgres no other user has to reach it.
    can_reach:    whether the user of that Postgres can; always true if we are not root.
    """
    if not is_embedded or can_reach(default / "postgres"):
        return default
    clone = default.parent
    mark = hashlib.blake2b(str(clone).encode(), digest_size=4).hexdigest()
    return HOMES_OF_ROOT / f"{clone.name or 'root'}-{mark}"
