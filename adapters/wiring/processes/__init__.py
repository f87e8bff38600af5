"""The processes that `serve` supervises, and `serve` itself. Uses compose and database."""
