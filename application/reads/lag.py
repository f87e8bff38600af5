"""How far a read model may be behind the log."""

MAX_LAG_S = 5.0
"""A read model that lags longer is wrong for those who read it, however right its rows are for its position: /ready is
red, and `verify` reports it."""
