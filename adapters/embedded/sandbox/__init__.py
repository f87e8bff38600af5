"""A provider in a box: a real HTTP server on loopback that speaks OpenAI's chat completions.

`echo` repeats what it is told and bills it honestly; the other models misbehave, each in one way (behaviours.py), so
that tests and newcomers meet every failure without a provider's key. What it sells is data in
adapters/outbound/providers/offers/sandbox.toml. Parameters of its own come in the body's `sandbox` object
(directions.py).

    python -m adapters.embedded.sandbox <file descriptor of a listening socket>

A token is a run of characters that are not white space (tokens.py). GET /_served tells what was served, by model.
"""
