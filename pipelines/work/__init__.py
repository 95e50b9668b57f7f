"""The work of a run: units of input, and the folder of their temporary files."""
