"""What a verb does to a run directory or a circuit, on top of every hardware; the command line and tuning call it."""
