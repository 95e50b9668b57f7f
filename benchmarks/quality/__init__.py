"""What is found, how well, and what training gains by it."""
