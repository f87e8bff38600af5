"""The HTTP surface: a hot path for generations, FastAPI for the rest, one error table (docs/reference/http-api.md)."""
