"""What a user sees of a run: panel, tables, TensorBoard."""
