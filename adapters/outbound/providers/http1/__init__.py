"""A lean HTTP/1.1 client for the hot path: one request at a time on a connection, no redirects, proxies, cookies or
decompression. httpx serves everything else.

Strict on purpose. What leaves any doubt about where an answer ends is refused, and its connection is never used again:
a wrong body must not reach the next request.
"""
