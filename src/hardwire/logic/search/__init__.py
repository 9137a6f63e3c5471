"""Exact local search on frozen networks: ranked coordinate descent on the training loss and the price of the circuit."""
