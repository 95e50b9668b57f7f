"""What became of documents: rules, copies, evaluation items, and excerpts of them."""
