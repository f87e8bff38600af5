"""FastAPI's part of the surface: one file per noun, each with its shapes and its routes."""
