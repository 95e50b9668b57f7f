"""Edits change a text and keep a map back to the source.

Each edit is a pure function that returns an `Edited`: the new text and the spans in which it
differs from what it was given. `spans.compose` chains edits.
"""
