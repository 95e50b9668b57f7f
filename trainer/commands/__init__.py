"""What the commands of `trainer.cli` do; each module is imported when its command runs."""
