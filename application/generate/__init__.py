"""One paid request: reserve the worst case, call a provider, settle the actual
(docs/explanation/architecture.md#the-life-of-a-request)."""
