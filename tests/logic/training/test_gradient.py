import dataclasses
import json

import numpy as np
import pytest
import torch
from interruptions import Stop, killed_and_resumed, stop_at, without_seconds

from hardwire.core.errors import FormatError, InputError
from hardwire.data.datasets import Dataset, Split
from hardwire.logic import LogicSettings, load_model, train
from hardwire.logic.training.batches import EncodedSamples, Order
from hardwire.logic.training.evaluation import accuracy, predict
from hardwire.logic.training.gradient import HEAD_RATE, LogicTraining, one_cycle, parameter_groups
from hardwire.runs.directory import CHECKPOINT

LEFT = [".lock", "calibration.json", "config.toml", "metrics.jsonl", "model.safetensors"]

TINY = LogicSettings(width=60, layers=2, levels=2, steps=24, evaluate_every=6, batch=32)


def weights(network):
    return {k: v.clone() for k, v in network.state_dict().items()}


def same(a, b):
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def undisturbed(digits):
    return train(TINY, digits)


def test_a_seed_gives_the_same_network_for_any_number_of_threads(digits, undisturbed):
    from hardwire import lower

    torch.set_num_threads(2)
    try:
        other = train(TINY, digits)
    finally:
        torch.set_num_threads(1)
    same(weights(undisturbed.network), weights(other.network))
    assert without_seconds(undisturbed.metrics) == without_seconds(other.metrics)
    a, b = (lower(r.network, r.encoder) for r in (undisturbed, other))
    assert a.digest == b.digest


def test_another_seed_gives_another_network(digits, undisturbed):
    other = train(TINY.changed(seed=1), digits)
    assert not torch.equal(other.network.tables(), undisturbed.network.tables())


def test_it_learns(trained, digits):
    """A hundred and fifty steps of a small network; chance is 0.1."""
    test = EncodedSamples(trained.encoder.encode(digits.test.x), digits.test.y)
    assert accuracy(trained.network, test, hard=True) > 0.8
    assert accuracy(trained.network, test, hard=False) > 0.8


def test_training_reports(digits):
    events = []
    result = train(TINY, digits, progress=events.append)
    seen = [e for e in events if e.figures]
    assert [m["step"] for m in result.metrics] == [e.position for e in seen] == [6, 12, 18, 24]
    assert all({"step", "loss", "relaxed", "hard", "seconds"} == e.figures.keys() and e.total == 24 for e in seen)
    assert seen[-1].seconds_left == 0 and seen[0].unit == "step" and not result.network.training


def test_the_last_step_is_evaluated(digits):
    assert [m["step"] for m in train(TINY.changed(steps=8), digits).metrics] == [6, 8]


def test_the_weights_are_those_best_on_validation(digits):
    held = {}

    def watch(event):
        if event.figures:
            held[event.position] = event.figures["hard"]

    result = train(TINY.changed(steps=60, evaluate_every=3, learning_rate=0.3), digits, progress=watch)
    best = max(held.values())
    assert result.best_step == max(s for s, hard in held.items() if hard == best)
    validation = EncodedSamples(result.encoder.encode(digits.validation.x), digits.validation.y)
    assert accuracy(result.network, validation, hard=True) == best


def test_the_test_split_is_not_touched(digits, undisturbed):
    blind = dataclasses.replace(digits, test=None)
    same(weights(train(TINY, blind).network), weights(undisturbed.network))


@pytest.mark.parametrize("checkpoint_seconds", [0, 1e9])
def test_writing_a_run_does_not_change_it(digits, undisturbed, tmp_path, checkpoint_seconds):
    result = train(TINY, digits, out=tmp_path / "run", checkpoint_seconds=checkpoint_seconds)
    same(weights(result.network), weights(undisturbed.network))
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == LEFT
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == result.metrics
    assert LogicSettings.load(tmp_path / "run" / "config.toml") == TINY


@pytest.mark.parametrize("stops", [[6], [12], [18], [24], [6, 12, 24]])
def test_a_run_that_is_stopped_resumes_to_the_same(digits, undisturbed, tmp_path, stops):
    for i, step in enumerate(stops):
        with pytest.raises(Stop):
            train(TINY, digits, out=tmp_path, resume=i > 0, progress=stop_at(step), checkpoint_seconds=0)
    finished(train(TINY, digits, out=tmp_path, resume=True), undisturbed, tmp_path)


def finished(result, undisturbed, out):
    same(weights(result.network), weights(undisturbed.network))
    assert without_seconds(result.metrics) == without_seconds(undisturbed.metrics)
    assert result.best_step == undisturbed.best_step
    assert sorted(p.name for p in out.iterdir()) == LEFT
    loaded = load_model(out)
    same(weights(loaded.network), weights(undisturbed.network))
    assert without_seconds(loaded.metrics) == without_seconds(undisturbed.metrics)


def test_stopped_before_the_first_checkpoint(digits, undisturbed, tmp_path):
    with pytest.raises(Stop):
        train(TINY, digits, out=tmp_path, progress=stop_at(6), checkpoint_seconds=1e9)
    finished(train(TINY, digits, out=tmp_path, resume=True), undisturbed, tmp_path)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_at_random_moments(digits, tmp_path):
    """SIGKILL again and again while every step writes a checkpoint; each resumes where the last one was."""
    config, out = TINY.changed(steps=100, evaluate_every=10), tmp_path / "run"
    assert killed_and_resumed(config, digits, out, kills=12, seconds=0.03) >= 3
    if not (out / "model.safetensors").exists() or (out / CHECKPOINT).exists():
        train(config, digits, out=out, resume=True)
    finished(load_model(out), train(config, digits), out)


def test_leftovers_of_a_killed_write_are_removed(digits, tmp_path):
    (tmp_path / f"{CHECKPOINT}.4711.part").write_bytes(b"half")
    train(TINY, digits, out=tmp_path)
    assert not list(tmp_path.glob("*.part"))


def test_an_existing_run_is_not_overwritten(digits, tmp_path):
    train(TINY, digits, out=tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"already holds a finished run of .* steps; `--resume` reads it, another `--out` or `--overwrite` begins"):
        train(TINY, digits, out=tmp_path)
    again = train(TINY, digits, out=tmp_path, resume=True, progress=lambda event: pytest.fail("trained again"))
    same(weights(again.network), weights(load_model(tmp_path).network))
    with pytest.raises(InputError, match=r"was started with other settings: .* there and .* now"):
        train(TINY.changed(seed=1), digits, out=tmp_path, resume=True)
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_an_unfinished_run_wants_to_be_resumed_with_its_own_settings(digits, tmp_path):
    with pytest.raises(Stop):
        train(TINY, digits, out=tmp_path, progress=stop_at(12), checkpoint_seconds=0)
    with pytest.raises(InputError, match=r"already holds an interrupted run at step .* of .*; `--resume` goes on with it, another `--out`"):
        train(TINY, digits, out=tmp_path)
    with pytest.raises(InputError, match=r"was started with other settings: .* there and .* now; leave them out"):
        train(TINY.changed(learning_rate=0.5), digits, out=tmp_path, resume=True)
    with pytest.raises(InputError, match=r"holds an interrupted run at step .*; finish it with"):
        load_model(tmp_path)


def test_refusals(digits, tmp_path):
    with pytest.raises(InputError, match="resume needs a run directory"):
        train(TINY, digits, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*; choose a folder that can be written"):
        train(TINY, digits, out=tmp_path / "file" / "run")


def test_a_loss_that_is_not_finite(digits):
    with pytest.raises(InputError, match=r"the loss is nan at step .*; lower learning_rate"):
        train(TINY.changed(learning_rate=1e38, parametrisation="softmax", weight_decay=1e30), digits)


@pytest.mark.parametrize("samples, batch", [(100, 10), (100, 32), (5, 8), (7, 7), (3, 1)])
def test_each_epoch_takes_every_sample_once(samples, batch):
    """The remainder that fills no batch waits for the next epoch's permutation."""
    order, size = Order(samples, batch, 0), min(batch, samples)
    per_epoch = samples // size
    epochs = [np.concatenate([order(e * per_epoch + i) for i in range(per_epoch)]) for e in range(3)]
    for rows in epochs:
        assert len(rows) == len(set(rows.tolist())) == per_epoch * size > samples - size
    if samples > 3:
        assert not np.array_equal(epochs[0], epochs[1])


def test_a_batch_is_a_function_of_seed_and_step_alone():
    a, b = Order(50, 8, 3), Order(50, 8, 3)
    forwards = [a(s) for s in range(20)]
    backwards = [b(s) for s in reversed(range(20))][::-1]
    assert all(np.array_equal(x, y) for x, y in zip(forwards, backwards))
    assert not np.array_equal(Order(50, 8, 4)(0), forwards[0])


def test_one_cycle():
    config = LogicSettings(steps=100, warmup=0.1, learning_rate=2.0)
    rate = [one_cycle(s, config) for s in range(100)]
    assert rate[0] == pytest.approx(0.2) and max(rate) == rate[9] == rate[10] == 2.0
    assert (np.diff(rate[:10]) > 0).all() and (np.diff(rate[10:]) < 0).all()
    assert 0 < rate[-1] < 0.01
    assert one_cycle(0, LogicSettings(steps=1, warmup=0.0)) > 0


def test_samples_unpack_to_their_bits(rng):
    bits = rng.random((30, 13)) < 0.5
    x, y = EncodedSamples(bits, np.arange(30)).batch(np.array([4, 2]))
    assert x.dtype == torch.float32 and np.array_equal(x.numpy(), bits[[4, 2]]) and y.tolist() == [4, 2]


def test_ties_go_to_the_lowest_class(rng):
    """A network whose gates are all TRUE gives every class the same count."""
    from hardwire.logic import GroupSum, LogicLayer, LogicNetwork

    layer = LogicLayer(6, 12)
    with torch.no_grad():
        layer.weight.fill_(5)
    network = LogicNetwork([layer], GroupSum(4)).eval()
    assert predict(network, EncodedSamples(rng.random((9, 6)) < 0.5, np.zeros(9))).tolist() == [0] * 9


def test_a_table_without_shape(rng):
    x = rng.random((300, 6))
    y = (x[:, 0] + x[:, 1] > 1).astype(np.int64)
    parts = [Split(x[i::3], y[i::3]) for i in range(3)]
    data = Dataset("half", *parts, ("no", "yes"), tuple("abcdef"), None, "made here")
    config = LogicSettings(dataset="half", encoder="quantile", levels=7, wiring="random", layers=2, width=100, steps=150,
                    evaluate_every=50)
    assert train(config, data).metrics[-1]["hard"] > 0.8


def test_a_gate_penalty_leaves_fewer_gates(digits):
    config = LogicSettings(width=200, layers=2, levels=3, steps=200, evaluate_every=100, batch=64)
    costs = [train(config.changed(gate_penalty=weight), digits).network.gate_cost() for weight in (0.0, 1.0)]
    assert costs[1] < 0.7 * costs[0]


def test_training_gives_the_threads_back(digits):
    before = torch.get_num_threads()
    train(LogicSettings(width=40, layers=1, levels=1, steps=2, evaluate_every=1), digits)
    assert torch.get_num_threads() == before


class Plain(torch.nn.Module):
    """A network of another kind, with every method that training looks for."""

    def __init__(self, inputs, outputs):
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(inputs, outputs).double()
        self.phases = []

    def forward(self, x):
        return self.linear(x.double())

    def set_phase(self, phase):
        self.phases.append(phase)


def test_any_network_can_be_trained(digits, tmp_path):
    config = TINY.changed(steps=60, evaluate_every=20)
    result = train(config, digits, out=tmp_path / "run", network=Plain(128, 10))
    assert result.metrics[-1]["hard"] == result.metrics[-1]["relaxed"] > 0.7
    assert [(p.step, p.progress) for p in result.network.phases] == [(s, s / 60) for s in range(60)]
    same(weights(load_model(tmp_path / "run", network=Plain(128, 10)).network), weights(result.network))
    with pytest.raises(FormatError, match="give load_model the same network"):
        load_model(tmp_path / "run")


@pytest.mark.parametrize("accumulate", [3, 32, 100])
@pytest.mark.parametrize("change", [{}, {"estimator": "gumbel"}, {"gate_penalty": 0.3}, {"augment": "flip"}])
def test_micro_batches_make_the_same_step(digits, accumulate, change):
    """In float64, where rounding leaves eight digits or more."""
    from hardwire.logic.network.build import build_encoder, build_network

    found = []
    for micro in (1, accumulate):
        config = TINY.changed(accumulate=micro, steps=12, **change)
        encoder = build_encoder(config, digits.train.x)
        network = build_network(config, encoder.encode(digits.train.x), classes=10, shape=digits.shape, levels=2).double()
        found.append(train(config, digits, network=network))
    assert [m["loss"] for m in found[0].metrics] == pytest.approx([m["loss"] for m in found[1].metrics], abs=1e-6)
    for a, b in zip(found[0].network.parameters(), found[1].network.parameters()):
        assert torch.allclose(a, b, rtol=0, atol=1e-7)


def test_each_kind_of_parameter_has_its_rate():
    from hardwire.logic import GroupSum, LogicLayer, LogicNetwork

    network = LogicNetwork([LogicLayer(64, 40, candidates=8), LogicLayer(40, 20)], GroupSum(10, learn_tau=True))
    config = LogicSettings(learning_rate=0.1, routing_rate=0.02, weight_decay=0.5)
    rates = {id(p): (round(g["share"], 9), g["weight_decay"]) for g in parameter_groups(network, config) for p in g["params"]}
    assert rates[id(network.layers[0].choice)] == (0.2, 0.5) and rates[id(network.head.log_tau)] == (HEAD_RATE, 0.0)
    assert rates[id(network.layers[1].weight)] == (1.0, 0.5) and len(rates) == 4


@pytest.mark.parametrize("change", [{"learn_tau": True}, {"augment": "flip+crop"}, {"accumulate": 4}, {"estimator": "gumbel"},
                                    {"vary_turn": 8.0, "vary_bend": 0.3, "augment": "crop"},
                                    {"fan_in": 6, "learned_layers": 1, "candidates": 8, "routing": "hard", "estimator": "hard",
                                     "redraw_every": 6}])
def test_what_is_new_in_a_step_resumes_too(digits, tmp_path, change):
    config = TINY.changed(**change)

    with pytest.raises(Stop):
        train(config, digits, out=tmp_path, progress=stop_at(12), checkpoint_seconds=0)
    finished(train(config, digits, out=tmp_path, resume=True), train(config, digits), tmp_path)


def test_candidates_are_drawn_anew_until_three_quarters_of_the_steps(digits):
    """As often as is said, none when it is not, and not after the wiring is fixed."""
    config = TINY.changed(learned_layers=1, candidates=8, learning_rate=0.5, steps=24, evaluate_every=24)

    def drawn(**change):
        training = LogicTraining(config.changed(**change), digits)
        layer, steps = training.network.members[0], []
        with training:
            for _ in range(24):
                before = layer.candidates.clone()
                training.advance()
                steps += [] if torch.equal(layer.candidates, before) else [training.position]
                moments = training.optimizer.state[layer.choice]
                assert steps[-1:] != [training.position] or (moments["exp_avg_sq"] == 0).any()
        return steps

    assert drawn() == [] and drawn(redraw_every=6) == [6, 12, 18] and drawn(redraw_every=6, fix_wiring_at=0.5) == [6, 12]


@pytest.mark.parametrize("fan_in", [2, 6])
def test_every_evaluation_is_of_the_wires_of_its_step(digits, fan_in):
    """With hard nodes and hard routing the network that is trained is the frozen one, at each evaluation."""
    config = TINY.changed(fan_in=fan_in, learned_layers=2, candidates=8, routing="hard", estimator="hard", learning_rate=0.3,
                          steps=60, evaluate_every=15)
    metrics = train(config, digits).metrics
    assert len(metrics) == 4 and len({m["hard"] for m in metrics}) > 1
    assert [m["hard"] for m in metrics] == [m["relaxed"] for m in metrics]


def test_a_step_counts_as_a_change_of_every_parameter(digits):
    """What is kept of a tensor's content is known by its count of changes; a fused optimizer makes none by itself."""
    training = LogicTraining(TINY, digits)
    with training:
        before = [p._version for p in training.network.parameters()]
        training.advance()
    assert all(p._version > b for p, b in zip(training.network.parameters(), before, strict=True))


def test_training_ends_early_where_nothing_is_gained(digits):
    easy = dataclasses.replace(digits, validation=Split(digits.train.x[:1], digits.train.y[:1]))
    long = TINY.changed(steps=400, evaluate_every=2, patience=3, seed=1)
    model = train(long, easy)
    steps = [m["step"] for m in model.metrics]
    first = next(m["step"] for m in model.metrics if m["hard"] == model.best["hard"])
    assert steps[-1] == first + 6 < 400
    assert train(long.changed(patience=0, steps=40), easy).metrics[-1]["step"] == 40


def test_an_early_end_is_the_same_after_an_interruption(digits, tmp_path):
    easy = dataclasses.replace(digits, validation=Split(digits.train.x[:1], digits.train.y[:1]))
    long = TINY.changed(steps=400, evaluate_every=2, patience=3, seed=1)
    with pytest.raises(Stop):
        train(long, easy, out=tmp_path, progress=stop_at(4), checkpoint_seconds=0)
    again, whole = train(long, easy, out=tmp_path, resume=True), train(long, easy)
    same(weights(again.network), weights(whole.network))
    assert without_seconds(again.metrics) == without_seconds(whole.metrics)


def test_rare_classes_train_when_they_are_balanced(digits):
    training = LogicTraining(TINY.changed(class_balance=1.0), digits)
    with training:
        rows = np.concatenate([training.batches.order(step) for step in range(len(digits.train.y) // 32)])
    counts = np.bincount(digits.train.y[rows])
    assert counts.max() - counts.min() <= 32 and not np.array_equal(rows, np.sort(rows))
    with pytest.raises(InputError, match="class_balance is for task 'classify'"):
        TINY.changed(class_balance=0.5, task="regress")


@pytest.mark.parametrize("changes", [{}, {"learned_layers": 1, "estimator": "gumbel", "candidates": 4}])
def test_preparing_changes_nothing_that_is_trained(digits, changes):
    """The kernels run once, forwards, backwards and frozen; the trained weights are those of a run without it."""
    settings = TINY.changed(steps=6, **changes)
    with LogicTraining(settings, digits) as one, LogicTraining(settings, digits) as two:
        calls, objective = [], one.objective
        one.objective = lambda *args: calls.append(len(args[3])) or objective(*args)
        before = weights(one.network)
        one.prepare()
        assert calls and calls[0] <= 64 and all(p.grad is None for p in one.network.parameters())
        same(before, weights(one.network))
        while two.position < two.total:
            assert (one.advance() is None) == (two.advance() is None)
        same(weights(one.network), weights(two.network))
