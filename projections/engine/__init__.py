"""The engine of all projections: changes as data, pages, replays, the registry."""
