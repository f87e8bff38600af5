"""Use cases about an account's credit: granted, shown, expired."""
