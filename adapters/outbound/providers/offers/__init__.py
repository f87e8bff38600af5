"""What is for sale: rows and price lists become the catalog."""
