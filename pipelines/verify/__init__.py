"""The verify stage: totals of a finished run, and the invariants that they keep."""
