"""Questions to the read models, and their records.

Amounts are nUSD, personal data is sealed; nothing here changes the ledger.
"""
