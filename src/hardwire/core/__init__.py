"""What every other package may use: the gate table, bits, errors, settings, files, random words, threads, outside programs."""
