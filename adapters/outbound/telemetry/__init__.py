"""What operators see: metrics for Prometheus, spans for OpenTelemetry, logs on stderr; no prompts, no secrets."""
