"""Use cases of auditors: prove the ledger."""
