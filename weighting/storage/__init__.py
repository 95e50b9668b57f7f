"""Files that are whole or absent, locks on folders, and what a failing disk means."""
