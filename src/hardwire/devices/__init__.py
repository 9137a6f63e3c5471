"""Models of memory cells, shared by the crossbar and the spiking network."""
