"""Words that a page explains, in the order in which it lists them: word -> what it means."""

TERMS: dict[str, str] = {
    # every hardware
    "validation": "samples that were kept out of training; settings and weights are chosen on them",
    "precision": "of the samples that were given this class, the share that is of it",
    "recall": "of the samples of this class, the share that was given it",
    "most often taken for": "the class that wrongly classified samples of this class are given most often",
    "proved": "shown for every input, not only for those that were tried",
    "simulated": "tried on the number of samples that is named; not a proof",
    "model estimate": "a count of events times a constant from the literature; nothing was measured",
    # logic
    "gate": "a node of two inputs that depends on both, or an inverter; a wider table counts as the two-input gates it "
            "is made of",
    "wire": "a node that passes one of its inputs on; it costs nothing and is no gate",
    "wires": "nodes that pass one of their inputs on; they cost nothing and are no gates",
    "constant": "a node that is always 0 or always 1; it costs nothing and is no gate",
    "constants": "nodes that are always 0 or always 1; they cost nothing and are no gates",
    "raw": "gates of the circuit as it was frozen, before the passes; wires and constants are counted apart",
    "optimised": "gates of the circuit after the passes",
    "removed": "share of the raw gates that the passes removed",
    "depth": "nodes on the longest path",
    "relaxed": "the network of real numbers that is trained",
    "hard": "the circuit of gates that is left when the network is frozen",
    # crossbar
    "synapse": "a crossing of a row and a column: one weight, held by one or more devices",
    "synapses": "crossings of rows and columns: one weight each, held by one or more devices",
    "variant": "a kind of cell; all variants are trained side by side from the same weights, sample by sample",
    "conductance": "what a device holds, in microsiemens; a weight is a sum of differences of conductances",
    "epoch": "one pass over the training samples",
    "float": "the same network trained with ideal 32-bit weights",
    "points to float": "test accuracy minus that of the same network in 32-bit floating point, in percentage points",
    "transfer": "writing the weights of the capacitors to the phase-change memory, at intervals",
    "3T1C": "a cell of three transistors and a capacitor that takes the many small updates",
    "PCM": "phase-change memory: a device whose conductance grows with SET pulses and falls with a RESET",
    # spiking
    "read-out": "how a class is taken from the spikes of the outputs",
    "ltp": "long-term potentiation: an input that fired before the output gets a larger weight",
    "ltd": "long-term depression: an input that did not fire gets a smaller weight",
    "pruned": "share of each output's synapses that are set to a constant and never updated again",
    "row": "an input of the array: a pixel, or the bias that always fires",
    "rows": "inputs of the array: pixels, and the bias that always fires",
    "bias": "one more input of the array, which fires in every step",
    "programming pulses": "pulses that change a cell; they wear it",
    # sweeps
    "front": "trials that no other one beats in both accuracy and cost",
}
