"""Text as copies are compared: its normal form, and the words in it as hashes."""
