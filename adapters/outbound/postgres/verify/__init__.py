"""Evidence for an auditor: log and read models of one pinned moment, replayed. Uses builds, project and wire."""
