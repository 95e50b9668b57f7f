"""What a run survives, and that its results stay the same bytes."""
