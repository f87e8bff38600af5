"""`python -m adapters.embedded.sandbox <fd>`: serve on an inherited listening socket until told to stop."""

import socket
import sys

from adapters.embedded.sandbox.serve import run

run(socket.socket(fileno=int(sys.argv[1])))
