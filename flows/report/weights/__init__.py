"""Where the weight goes: by type, by frequency, by signal."""
