"""Usage, prices and the charge that follows from them."""
