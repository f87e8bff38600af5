"""Use cases about accounts: opened, listed, shown, their state changed."""
