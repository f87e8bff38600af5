"""Every advisory lock of the product. A number is never changed: it excludes processes of earlier releases.

tests/architecture/test_facts_are_spelled_once.py keeps numbers out of all other modules.
"""

MIGRATE = 7_426_930_115
"""Held by the session that applies migrations: one runner at a time."""

STREAM_SEED = 7_426_930_116
"""Seed of ledger.stream_lock_key, which hashes a stream's name to its lock: held for a turn, and shared by appends.
migrations/functions/stream_lock_key.sql has the same number."""

SETUP = 7_426_930_117
"""Held by a transaction that creates roles, grants, replaces functions or installs read models: of two at once, which
create the same object or change the same row of the catalog, one would fail."""

LEAD_ALL_BUILDS = 7_426_930_118
"""Earlier releases with one build of each read model held this exclusively to lead all builds. A session that leads a
build now holds it shared, so that such a release never writes beside it."""

LEAD_EXPIRY = 7_426_930_119
"""Held by the session of the process that expires reservations and lots."""

LEAD_BUILD_SEED = 0
"""Seed of the lock of one build: the hash of `lead_builds.lock_of`, held by the session that leads that build."""
