"""What is minimised, and what that needs to know of a batch."""
