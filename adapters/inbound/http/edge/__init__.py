"""Bounds before any route: on heads, pipelines, connections and strangers."""
