"""Whether a ledger is what it says: pure checks over its events, blocks, commands and snapshots (P4, P7)."""
