"""What operators see: metrics for Prometheus, spans for OpenTelemetry, logs on stderr. Never a prompt or a secret."""
