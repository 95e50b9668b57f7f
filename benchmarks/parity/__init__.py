"""The same decisions as the implementation that a rule is named after."""
