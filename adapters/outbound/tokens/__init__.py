"""Counts tokens if a provider sent no usage: vocabulary.py has the vocabulary, worker_counter.py counts in a thread."""
