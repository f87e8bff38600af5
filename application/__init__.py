"""The use cases: each is an input and one function, in a file named by its verb, in a folder named by its noun."""
