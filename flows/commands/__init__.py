"""The commands of `assay`."""
