"""Use cases put together on their adapters. Uses database."""
