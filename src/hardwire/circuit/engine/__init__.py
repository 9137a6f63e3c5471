"""The packed engine: 512 samples at a time, one bit each."""
