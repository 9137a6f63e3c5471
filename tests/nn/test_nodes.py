import pytest
import torch

from hardwire.errors import InputError
from hardwire.gates import COEFFICIENTS, TABLE, TRUTH
from hardwire.nn.nodes import PARAMETRISATIONS, Softmax16, TableLogits, coefficients, hard_values, parametrisation

both = pytest.mark.parametrize("node", PARAMETRISATIONS.values())


def test_coefficients_are_the_moebius_transform():
    torch.testing.assert_close(coefficients(torch.tensor(TRUTH)), torch.tensor(COEFFICIENTS))


def test_hard_values_are_the_tables():
    assert torch.equal(hard_values(torch.arange(16), torch.float64), torch.tensor(TRUTH))
    assert hard_values(torch.arange(16)).dtype == torch.float32


def test_table_logits_are_sigmoids():
    w = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(TableLogits.values(w), 1 / (1 + torch.exp(-w)))
    assert TableLogits.tables(torch.tensor([[-1.0, 2, -3, 4], [0, 0, 0, 1e-9]])).tolist() == [0b1010, 0b1000]


def test_softmax_is_the_mean_truth_table():
    w = torch.randn(50, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Softmax16.values(w), torch.softmax(w, -1) @ torch.tensor(TRUTH))


@pytest.mark.parametrize("table", range(16))
def test_a_certain_gate_is_that_gate(table):
    soft = torch.full((1, 16), -50.0)
    soft[0, table] = 50
    logits = (2 * torch.tensor(TRUTH[table]) - 1).float()[None] * 50
    for node, w in ((Softmax16, soft), (TableLogits, logits)):
        assert node.tables(w).tolist() == [table]
        torch.testing.assert_close(node.values(w), torch.tensor(TRUTH[table]).float()[None])


@both
def test_gradients(node):
    w = torch.randn(3, node.weights, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: coefficients(node.values(w)), (w,))


@both
def test_values_stay_in_the_unit_interval(node):
    p = node.values(100 * torch.randn(200, node.weights, generator=torch.Generator().manual_seed(0)))
    assert p.min() >= 0 and p.max() <= 1 + 1e-6


@both
def test_residual_start_is_pass_through(node):
    w = node.initial(100, "residual", 5.0, 0.0)
    assert (node.tables(w) == TABLE["A"]).all()
    noisy = node.initial(1000, "random", 5.0, 1.0, torch.Generator().manual_seed(0))
    assert len(node.tables(noisy).unique()) == 16


@both
def test_a_seeded_start_repeats(node):
    a, b, c = (node.initial(20, "random", 1.0, 1.0, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_an_unknown_parametrisation():
    with pytest.raises(InputError, match="parametrisation 'walsh' is none of table, softmax"):
        parametrisation("walsh")
