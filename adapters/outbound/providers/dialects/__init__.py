"""How requests are written and answers are read, per family of APIs. Pure: bytes in, bytes and structs out.

A dialect is one module with the functions of dialect.Dialect; the provider's row names it.
"""
