"""What Gatewayz calls: Postgres, providers and the like. Each folder implements ports of application.ports."""
