"""What use cases need from the world, one port a file. Adapters implement them, wiring knows which."""
