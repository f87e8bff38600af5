"""What an answer is charged for: counted by its provider, or estimated here."""
