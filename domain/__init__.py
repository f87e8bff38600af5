"""What is true: pure structs and functions over the ledger's facts. No I/O, clock, randomness, environment or float."""
