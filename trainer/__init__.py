"""Trains small language models on weighted token shards, with PyTorch, and compares the runs."""
