"""What `gatewayz serve` is: the parent of every process, owner of the port, first to come, last to go
(docs/explanation/architecture.md#processes)."""
