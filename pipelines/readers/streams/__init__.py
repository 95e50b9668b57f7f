"""Bytes, lines and stored records of an input, however it is compressed."""
