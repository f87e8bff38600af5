"""Everything that Gatewayz calls: PostgreSQL, providers and more. It implements the ports of application.ports."""
