"""HTML pages: bytes to characters, what a page states of itself, its main text."""
