"""The credit of one account: lots, reservations on named lots, and how they ended. See README.md."""
