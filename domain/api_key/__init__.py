"""An API key: a secret we cannot read, what it may do, and for how long."""
