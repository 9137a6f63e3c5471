"""What the model behind the spiking network reaches when it is fitted offline.

A mixture of Bernoulli components by expectation maximisation on binary pixels, whole and with the lowest share of
each component's probabilities replaced by one constant, as soft pruning does. Soft winner-take-all with STDP is this
mixture's online form (Nessler et al., 2013), so the figures say what pruning costs the model itself. Validation
split; the test split is not looked at.
"""

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from hardwire import load_dataset
from hardwire.spiking.encoding import select_pixels

from .framework import Figures, Say

ROUNDS, AFTER = 6, 4
SHARES, CONSTANTS = (0.4, 0.6, 0.75), (0.02, None)


def posterior(x, p, prior):
    """P(component | sample), (samples, components)."""
    logits = x @ np.log(p / (1 - p)).T + np.log(1 - p).sum(1) + prior
    weight = np.exp(logits - logits.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def fitted(x, share):
    """(probabilities, log prior) of components from their shares of the samples."""
    total = share.sum(0)
    return (share.T @ x + 0.5) / (total[:, None] + 1), np.log((total + 1) / (total.sum() + len(total)))


def lowest(p, part: float):
    """True where a probability is among the lowest ``part`` of its component."""
    mask = np.zeros(p.shape, bool)
    np.put_along_axis(mask, np.argsort(p, 1)[:, : round(part * p.shape[1])], True, 1)
    return mask


def accuracy(train, share, shown, p, prior) -> float:
    """Assign components to the class they respond to most; a sample gets the class of the largest summed posterior."""
    one_hot = np.eye(10)[train.y]
    classes = np.eye(10)[(share.T @ one_hot / one_hot.sum(0)).argmax(1)]
    return float(((posterior(shown[0], p, prior) @ classes).argmax(1) == shown[1]).mean())


def one(seed: int, components: int, say: Say) -> dict[str, float]:
    data = load_dataset("mnist", seed=seed)
    pixels = select_pixels(data.train.x, 397)
    x, shown = ((s.x[:, pixels] > 76).astype(np.float32) for s in (data.train, data.validation))
    labels = MiniBatchKMeans(components, batch_size=4096, n_init=1, max_iter=20, random_state=seed).fit(x).labels_
    share = np.eye(components, dtype=np.float32)[labels]
    for _ in range(ROUNDS):
        p, prior = fitted(x, share)
        share = posterior(x, p, prior)
    result, whole = {"whole": accuracy(data.train, share, (shown, data.validation.y), p, prior)}, p
    for part in SHARES:
        for constant in CONSTANTS:
            mask, again = lowest(whole, part), share
            for _ in range(AFTER):
                p, prior = fitted(x, again)
                p = np.where(mask, p[mask].mean() if constant is None else constant, p)
                again = posterior(x, p, prior)
            name = f"{part:g} at {'their mean' if constant is None else constant}"
            result[name] = accuracy(data.train, again, (shown, data.validation.y), p, prior)
            say(f"seed {seed} {name}: {result[name]:.4f}")
    return result


def figures(say: Say, *, components: int = 500, seeds: int = 3) -> Figures:
    """Fit the mixtures; means over the seeds."""
    each = [one(seed, components, say) for seed in range(seeds)]
    return {name: {"validation": float(np.mean([e[name] for e in each])), "seeds": len(each)} for name in each[0]}
