"""Use cases about API keys: issue, list, change, rotate and revoke them."""
