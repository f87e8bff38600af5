"""The ways into Gatewayz: HTTP, the command line, the workers. They do not import each other."""
