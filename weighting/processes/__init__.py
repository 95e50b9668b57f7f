"""Processes of assay's own: how they start, what ends them, and what is told of one that failed."""
