"""Reads: read models, API keys of callers, stored answers. Uses builds and wire."""
