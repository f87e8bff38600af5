"""Makes, updates, compares, activates and retires builds of read models. Uses project and wire."""
