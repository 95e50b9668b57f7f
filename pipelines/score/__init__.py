"""The reference and score stages: signals of every token."""
