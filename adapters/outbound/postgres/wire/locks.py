"""Every advisory lock of the product. A number is never changed: processes of earlier releases exclude ours by it.

tests/architecture/test_facts_are_spelled_once.py keeps numbers out of all other modules.
"""

MIGRATE = 7_426_930_115
"""Held by the session that applies migrations: one runner at a time."""

STREAM_SEED = 7_426_930_116
"""Seed of ledger.stream_lock_key, which hashes a stream's name to its lock: held for a turn, and shared by appends.
migrations/functions/stream_lock_key.sql has the same number."""

SETUP = 7_426_930_117
"""Held by a transaction that creates roles, grants, replaces functions or installs read models: two that did so at once
would create the same thing, or change the same row of the catalog, and one would fail."""

LEAD_ALL_BUILDS = 7_426_930_118
"""Releases that knew one build of each read model led all of them by holding this alone. A session that leads a build
now shares it with others, so that one of those releases never writes beside it."""

LEAD_EXPIRY = 7_426_930_119
"""Held by the session whose process expires what is due."""

LEAD_BUILD_SEED = 0
"""Seed of the lock of one build: the hash of `lead_builds.lock_of`, held by the session that leads that build."""
