"""How we touch the world. Only wiring knows every adapter; inbound never imports outbound."""
