"""The machine that a run uses: its devices, its processes, its failures."""
