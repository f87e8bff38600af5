"""What is for sale: builds the catalog from rows and price lists."""
