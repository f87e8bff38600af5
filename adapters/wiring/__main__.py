"""`python -m adapters.wiring` is `gatewayz`."""

from adapters.wiring import main

if __name__ == "__main__":  # children of a process pool import this module too
    main()
