"""What a circuit or a run costs."""
