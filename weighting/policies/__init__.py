"""Policies: from signals to loss weights of mean 1, with a reason for each."""
