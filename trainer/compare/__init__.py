"""Ablations: arms times seeds, each run a process, and the verdict."""
