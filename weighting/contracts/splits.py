"""The two splits of a run's documents, and the two halves that references may be trained on."""

TRAIN, VALIDATION = SPLITS = ("train", "validation")
A, B = HALVES = ("a", "b")  # see `weighting.contracts.halves`
WHOLE = "whole"
