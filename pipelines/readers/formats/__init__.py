"""One module for each format that can be read, and what several need."""
