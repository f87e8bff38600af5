"""A request for an inference as far as billing must know it."""
