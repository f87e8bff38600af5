"""Use cases about accounts: open, list and show them, change their state."""
