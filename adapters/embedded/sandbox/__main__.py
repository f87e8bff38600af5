"""`python -m adapters.embedded.sandbox <fd> [<uid> <gid>]`: serve on an inherited listening socket until SIGTERM or
SIGINT, as another user if one is given."""

import signal
import socket
import sys

from adapters.embedded.sandbox.serve import run
from adapters.embedded.unprivileged import UnprivilegedUser, become

_, fd, *user = sys.argv
if user:
    uid, gid = map(int, user)
    become(UnprivilegedUser(f"uid {uid}", uid, gid), signal.SIGKILL)
run(socket.socket(fileno=int(fd)))
