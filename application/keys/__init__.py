"""Use cases about API keys: issued, listed, changed, rotated, revoked."""
