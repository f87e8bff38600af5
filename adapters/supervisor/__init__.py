"""The process of `gatewayz serve`: parent of all others, owner of the port; first to start, last to end
(docs/explanation/architecture.md#processes)."""
