"""Time and memory, against peers or against the floor that no implementation can do without."""
