"""Double entry: what each event moved between which books; the sum is always zero."""
