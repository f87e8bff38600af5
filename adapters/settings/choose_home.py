"""Where the data lives when GATEWAYZ_HOME does not say."""

import hashlib
from pathlib import Path

from adapters.embedded import unprivileged_user_can_reach

HOMES_OF_ROOT = Path("/var/lib/gatewayz")


def choose_home(default: Path, *, is_embedded: bool, homes_of_root: Path = HOMES_OF_ROOT) -> Path:
    """`default`; as root, if the user that Postgres drops to cannot reach it, a folder named after the clone.

    default:      absolute, `<clone>/.gatewayz`. Every verb asks here, so that all find the same home.
    is_embedded:  without the embedded Postgres nobody else has to reach it.
    """
    if not is_embedded or unprivileged_user_can_reach(default / "postgres"):
        return default
    clone = default.parent
    mark = hashlib.blake2b(str(clone).encode(), digest_size=4).hexdigest()
    return homes_of_root / f"{clone.name or 'root'}-{mark}"
