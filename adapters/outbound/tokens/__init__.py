"""Counting tokens where a provider told none: vocabulary.py has the words, worker_counter.py a thread that counts."""
