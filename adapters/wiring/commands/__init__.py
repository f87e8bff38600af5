"""The actions behind the verbs of the command line. Uses processes, compose and database."""
