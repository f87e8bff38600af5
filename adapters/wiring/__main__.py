"""`python -m adapters.wiring` is `gatewayz`."""

from adapters.wiring import main

if __name__ == "__main__":  # a process pool's children import this module too
    main()
