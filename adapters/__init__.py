"""Connections to the outside world. Only wiring knows every adapter; inbound never imports outbound."""
