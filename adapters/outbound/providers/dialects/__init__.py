"""Write requests and read answers, per family of APIs. Pure: bytes in, bytes and structs out.

A dialect is one module with the functions of dialect.Dialect; the provider's row names it.
"""
