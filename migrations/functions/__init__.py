"""Each function of the ledger, whole in a file of its name; replaced when its text is new."""
