"""Names that the command line offers, apart so that its help loads neither torch nor Numba."""

#: Data sets that have settings of their own.
DATASETS = ("mnist", "fashion-mnist", "digits", "cifar10", "cifar100")

#: What can be trained side by side in one run: name -> what a report calls it.
VARIANTS = {
    "hybrid": "2 PCM + 3T1C",
    "float": "float",
    "no-inversion": "2 PCM + 3T1C, no polarity inversion",
    "2pcm": "2 PCM alone",
    "single": "one bidirectional device",
    "tiki-taka-1": "Tiki-Taka v1",
    "tiki-taka-2": "Tiki-Taka v2",
    "mixed-precision": "mixed precision",
}

#: What ``--ablations`` adds.
ABLATIONS = ("no-inversion", "2pcm")
