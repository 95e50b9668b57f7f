"""A run as its operator sees it: its log, where it stands, what it took, the room that it needs."""
