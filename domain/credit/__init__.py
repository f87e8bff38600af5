"""The credit of one account: lots, reservations on named lots, and what became of them. See README.md."""
