"""Evidence for an auditor: one pinned moment of log and read models, replayed. Uses builds, project and wire."""
