"""Keyed hashes, sealing under per-account data keys, and the keyring that wraps them."""
