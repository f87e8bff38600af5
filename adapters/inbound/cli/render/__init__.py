"""The output of verbs, for people and for programs; control characters never reach a terminal."""
