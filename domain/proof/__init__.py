"""Proofs that a ledger is intact: pure checks over its events, blocks, commands and snapshots (P4, P7)."""
