"""What is for sale: the catalog, built from rows and price lists."""
