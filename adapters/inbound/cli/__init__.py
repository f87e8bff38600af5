"""The command line: verbs, their flags, and what a person sees. What a verb does is handed in (actions.py)."""
