"""Builds of read models: made, kept up to date, compared, switched to, retired. Uses project and wire."""
