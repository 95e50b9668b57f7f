"""The weigh stage: from signals to weighted token shards."""
