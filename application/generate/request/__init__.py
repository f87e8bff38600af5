"""A request for an inference, as far as billing needs it."""
