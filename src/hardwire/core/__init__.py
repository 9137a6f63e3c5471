"""What every package may use: gates, truth tables, bits, errors, settings, random words, threads, files, programs."""
