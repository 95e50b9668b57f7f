"""A look at a corpus before any run: what would be read, what not, and by which recipe."""
