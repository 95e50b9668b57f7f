"""What is known of languages: how each is written, and what was published for it."""
