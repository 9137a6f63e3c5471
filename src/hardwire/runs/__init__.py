"""One run of any hardware: its directory, its checkpoints and its record."""
