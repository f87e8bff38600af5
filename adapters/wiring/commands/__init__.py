"""What each verb of the command line does. Uses processes, compose and database."""
