"""From shards to batches: the corpus, its windows, the loader."""
