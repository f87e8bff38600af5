"""An account: who owns keys and credit, and whether it may be served."""
