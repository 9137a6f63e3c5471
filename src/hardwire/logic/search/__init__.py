"""Exact local search on frozen networks: ranked coordinate descent on the training loss and the circuit's price."""
