"""A built-in provider: a real HTTP server on loopback with OpenAI's chat completions.

`echo` repeats the last user message and bills it honestly; the other models misbehave, each in one way
(behaviours.py), so that tests and newcomers can meet every failure without a provider's key. Its offers are data in
adapters/outbound/providers/offers/sandbox.toml. Its own parameters are in the body's `sandbox` object (directions.py).

    python -m adapters.embedded.sandbox <file descriptor of a listening socket>

A token is a run of characters that are not white space (tokens.py). GET /_served counts the served requests, by model.
"""
