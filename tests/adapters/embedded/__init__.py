"""Fault tests of the embedded Postgres: real servers, real signals, as root and as an ordinary user."""
