"""The hot path: inference requests, straight on ASGI."""
