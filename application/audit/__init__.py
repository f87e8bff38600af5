"""Use cases of auditors: the ledger is proven."""
