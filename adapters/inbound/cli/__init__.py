"""The command line: verbs, their flags, and their output. Wiring implements the actions of the verbs (actions.py)."""
