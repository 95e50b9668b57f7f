"""One training run: the loop, an update, checkpoints, evaluation."""
