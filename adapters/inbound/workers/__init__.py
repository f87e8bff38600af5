"""Loops that nobody calls: what the projector process does besides projecting."""
