"""One paid request: reserve the worst case, call a provider, settle the actual (DESIGN §5)."""
