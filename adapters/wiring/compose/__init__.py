"""Builds the use cases on their adapters. Uses database."""
