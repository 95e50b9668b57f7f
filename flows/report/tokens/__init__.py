"""Single tokens: what each weighs, what signals say of it, and where they disagree."""
