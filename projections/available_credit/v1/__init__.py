"""What an account has, holds and has spent: totals, lots, open reservations."""
