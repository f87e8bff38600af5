"""What `gatewayz serve` is: the parent of every process, owner of the port, first to come, last to go (DESIGN §7)."""
