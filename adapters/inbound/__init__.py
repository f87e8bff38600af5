"""Who calls us: HTTP, the command line, the workers. They do not know each other."""
