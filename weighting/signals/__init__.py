"""Signals: numbers that say how rare, how predictable or how learnable a token is."""
