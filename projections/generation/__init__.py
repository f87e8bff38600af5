"""Each request from reserve to end: what was asked, answered, charged and what it cost us."""
