"""Questions: read models, keys of callers, kept answers. Uses builds and wire."""
