"""The questions to the read models, answered from the real projections replayed in memory."""
