"""The two splits of a run's documents."""

TRAIN, VALIDATION = SPLITS = ("train", "validation")
