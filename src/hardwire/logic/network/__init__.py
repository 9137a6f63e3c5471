"""The relaxed network as torch modules: layers, convolutions, nodes, wiring, heads."""
