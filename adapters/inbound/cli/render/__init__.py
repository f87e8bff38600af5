"""How verbs print: for people, for programs, and never what could steer a terminal."""
