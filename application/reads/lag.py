"""How far a read model may be behind the log."""

MAX_LAG_S = 5.0
"""A read model that lags longer misleads its readers, even if its rows are right for its position: /ready fails, and
`verify` reports it."""
