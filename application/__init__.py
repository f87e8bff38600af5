"""What we do: one use case per file, named by its verb. Everything it needs from outside is a Protocol in ports.py."""
