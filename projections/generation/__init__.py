"""Each request from reserve to end: what was asked, answered and charged, and what it cost us."""
