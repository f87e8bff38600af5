"""The channel on which an append wakes the followers of the log."""

WAKE_UP_CHANNEL = "stored_events"
"""The eventsourcing library's subscriptions listen on it."""
