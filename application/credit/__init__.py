"""Use cases about an account's credit: grant it, show it, expire it."""
