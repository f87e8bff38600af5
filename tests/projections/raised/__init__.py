"""The next version of `ledger_entries` as a next release might have it: the column `correlation` is called `about`,
`tag` is gone, and each entry names its account."""
