"""Background loops of the projector process, other than the projection."""
