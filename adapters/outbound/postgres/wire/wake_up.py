"""The channel on which an append wakes those who follow the log."""

WAKE_UP_CHANNEL = "stored_events"
"""The one on which the eventsourcing library's subscriptions listen."""
