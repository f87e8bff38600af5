"""What every projection stands on: changes as data, pages, replays, the registry."""
