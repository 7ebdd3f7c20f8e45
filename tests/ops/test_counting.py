"""Counts, histograms, distinct elements, quantiles, segments: edges of bins, ties, NaN, empty input, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import torchish as torch

INF, NAN = math.inf, math.nan


def values(t: torch.Tensor) -> list:
    return t.tolist()


def nan_equal(t: torch.Tensor, expected: list) -> None:
    np.testing.assert_array_equal(t.numpy(), np.array(expected, t.numpy().dtype))


class TestBincount:
    def test_weights_are_summed_in_float32_or_float64(self):
        i = torch.tensor([1, 2, 2])
        w = torch.tensor([0.5, 1.0, 2.0])
        assert torch.bincount(i, w).dtype is torch.float32
        assert values(torch.bincount(i, w)) == [0.0, 0.5, 3.0]
        assert torch.bincount(i, w.half()).dtype is torch.float64
        assert torch.bincount(i, i).dtype is torch.float64

    def test_minlength_and_empty_input(self):
        assert values(torch.bincount(torch.tensor([1]), minlength=4)) == [0, 1, 0, 0]
        empty = torch.tensor([], dtype=torch.int64)
        assert values(torch.bincount(empty, torch.tensor([]), minlength=2)) == [0, 0]

    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ((torch.tensor([-1, 2]),), RuntimeError, "1-d non-negative integral"),
            ((torch.tensor([[1]]),), RuntimeError, "1-d non-negative integral"),
            ((torch.tensor([1.5]),), NotImplementedError, "\"bincount_cpu\" not implemented for 'Float'"),
            ((torch.tensor([1]), torch.ones(2)), RuntimeError, "same length as input"),
            ((torch.tensor([1]), None, -1), RuntimeError, "minlength should be >= 0"),
            ((torch.tensor([1]), None, 1.5), TypeError, "must be int, not float"),
        ],
    )
    def test_refusals(self, arguments, error, text):
        with pytest.raises(error, match=text):
            torch.bincount(*arguments)

    def test_its_derivative_is_missing_and_says_so(self):
        counts = torch.bincount(torch.tensor([1]), torch.tensor([1.0], requires_grad=True))
        assert repr(counts) == "tensor([0., 1.], grad_fn=<NotImplemented>)"
        with pytest.raises(RuntimeError, match="derivative for aten::bincount is not implemented"):
            counts.sum().backward()


class TestHistograms:
    def test_the_last_bin_is_closed_and_nan_counts_nowhere(self):
        x = torch.tensor([0.0, 1.0, 2.0, 4.0, 5.0, NAN, INF])
        assert values(torch.histc(x, 4, 0, 4)) == [1.0, 1.0, 1.0, 1.0]
        assert values(torch.histogram(x, 4, range=(0.0, 4.0)).hist) == [1.0, 1.0, 1.0, 1.0]

    def test_a_range_of_one_value_is_widened(self):
        x = torch.tensor([2.0, 2.0])
        assert values(torch.histc(x, 4)) == [0.0, 0.0, 2.0, 0.0]
        assert values(torch.histogram(x, 4).bin_edges) == [1.5, 1.75, 2.0, 2.25, 2.5]

    def test_density_integrates_to_one_over_uneven_bins(self):
        x, edges = torch.tensor([0.5, 0.6, 1.5, 2.5]), torch.tensor([0.0, 1.0, 3.0])
        hist = torch.histogram(x, edges, weight=torch.tensor([1.0, 1.0, 1.0, 3.0]), density=True).hist
        assert float((hist * edges.diff()).sum()) == pytest.approx(1.0)
        np.testing.assert_allclose(hist.numpy(), [2 / 6, 4 / 6 / 2], rtol=1e-6)

    def test_points_fall_into_boxes(self):
        points = torch.tensor([[0.1, 0.9], [0.9, 0.9], [0.9, 1.0], [2.0, 0.5]])
        hist, edges = torch.histogramdd(points, [2, 2], range=[0.0, 1.0, 0.0, 1.0])
        assert values(hist) == [[0.0, 1.0], [0.0, 2.0]]
        assert [values(e) for e in edges] == [[0.0, 0.5, 1.0]] * 2

    def test_out_gets_both_results(self):
        out = (torch.empty(0), torch.empty(0))
        torch.histogram(torch.tensor([1.0, 2.0]), 1, out=out)
        assert [values(t) for t in out] == [[2.0], [1.0, 2.0]]

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda x: torch.histc(x, 0), RuntimeError, "bins must be > 0, but got 0 for dimension 0"),
            (lambda x: torch.histc(x, 4, 3, 1), RuntimeError, "max must be larger than min"),
            (lambda x: torch.histc(x, 4, 1, INF), RuntimeError, r"range of \[1, inf\] is not finite"),
            (lambda x: torch.histc(x / 0, 4), RuntimeError, r"range of \[inf, inf\] is not finite"),
            (lambda x: torch.histc(x.long(), 4), NotImplementedError, "\"histogram_cpu\" not implemented for 'Long'"),
            (lambda x: torch.histogram(x, 4, range=(3.0, 0.0)), RuntimeError, "min 3 max 0 for dimension 0"),
            (
                lambda x: torch.histogram(x, 4, weight=x[:1]),
                RuntimeError,
                r"shape \[2, 1\] and weight with shape \[1\]",
            ),
            (lambda x: torch.histogram(x, x.double()), RuntimeError, "dtype float and bins for dimension 0 with dtype"),
            (lambda x: torch.histogram(x / 0, 4).hist, RuntimeError, r"dimension 0's range \[inf, inf\] is not finite"),
            (lambda x: torch.histogramdd(x, 4), RuntimeError, "at least 2 dimensions"),
        ],
    )
    def test_refusals(self, call, error, text):
        with pytest.raises(error, match=text):
            values(call(torch.tensor([1.0, 2.0])))


class TestUnique:
    def test_inverse_and_counts_put_the_input_together_again(self):
        x = torch.tensor([[3, 1, 2], [1, 1, 3]])
        found, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
        assert values(found) == [1, 2, 3]
        assert torch.equal(found[inverse], x)
        assert values(counts) == [3, 1, 2]

    def test_slices_are_compared_as_wholes(self):
        x = torch.tensor([[2, 1], [1, 9], [2, 1], [1, 3]])
        found, inverse = x.unique(dim=0, return_inverse=True)
        assert values(found) == [[1, 3], [1, 9], [2, 1]]
        assert values(inverse) == [2, 1, 2, 0]
        assert values(x.t().unique(dim=1)) == [[1, 1, 2], [3, 9, 1]]

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_every_nan_is_distinct_and_zeros_are_one(self, dtype):
        found, counts = torch.unique(torch.tensor([NAN, 0.0, -0.0, NAN], dtype=dtype), return_counts=True)
        nan_equal(found.float(), [0.0, NAN, NAN])
        assert values(counts) == [2, 1, 1]

    def test_consecutive_runs(self):
        found, inverse, counts = torch.unique_consecutive(torch.tensor([[1, 1], [2, 1]]), True, True)
        assert (values(found), values(inverse), values(counts)) == ([1, 2, 1], [[0, 0], [1, 2]], [2, 1, 1])
        rows = torch.tensor([[1, 1], [1, 1], [2, 1]])
        assert values(torch.unique_consecutive(rows, dim=0)) == [[1, 1], [2, 1]]

    def test_a_scalar_and_nothing(self):
        found, inverse = torch.unique(torch.tensor(3.0), return_inverse=True)
        assert (found.shape, inverse.shape) == ((1,), ())
        assert torch.unique(torch.zeros(0, 3), dim=0).shape == (0, 3)
        with pytest.raises(RuntimeError, match="There are 0 sized dimensions"):
            torch.unique(torch.zeros(2, 0), dim=0)
        with pytest.raises(IndexError, match="Dimension specified as 0 but tensor has no dimensions"):
            torch.unique(torch.tensor(3.0), dim=0)

    def test_its_derivative_is_missing_and_says_so(self):
        found = torch.unique(torch.tensor([2.0, 1.0], requires_grad=True))
        assert type(found.grad_fn).__name__ == "Unique2Backward0"
        with pytest.raises(NotImplementedError, match="derivative for '_unique2' is not implemented"):
            found.sum().backward()


class TestQuantile:
    @pytest.mark.parametrize(
        ("interpolation", "expected"),
        [("linear", 1.2), ("lower", 1.0), ("higher", 2.0), ("midpoint", 1.5), ("nearest", 1.0)],
    )
    def test_interpolations(self, interpolation, expected):
        x = torch.tensor([3.0, 0.0, 1.0, 2.0])
        assert float(x.quantile(0.4, interpolation=interpolation)) == pytest.approx(expected)

    def test_a_vector_of_q_comes_first(self):
        x = torch.arange(6.0).reshape(2, 3)
        q = torch.tensor([0.0, 0.5, 1.0])
        assert torch.quantile(x, q, dim=1).shape == (3, 2)
        assert torch.quantile(x, q, dim=1, keepdim=True).shape == (3, 2, 1)
        assert torch.quantile(x, q, keepdim=True).shape == (3, 1, 1)
        assert values(torch.quantile(x, q, dim=0)) == [[0.0, 1.0, 2.0], [1.5, 2.5, 3.5], [3.0, 4.0, 5.0]]

    def test_nan_wins_unless_left_out(self):
        x = torch.tensor([[1.0, NAN, 3.0], [NAN, NAN, NAN]])
        nan_equal(torch.quantile(x, 0.5, 1), [NAN, NAN])
        nan_equal(torch.nanquantile(x, 0.5, 1), [2.0, NAN])

    def test_the_gradient_goes_to_the_neighbours_and_to_q(self):
        x = torch.tensor([4.0, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
        q = torch.tensor([0.25], dtype=torch.float64, requires_grad=True)
        torch.quantile(x, q).sum().backward()
        assert values(x.grad) == [0.0, 0.5, 0.5]
        assert values(q.grad) == [4.0]  # two steps of 2 along the whole way

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (lambda x: x.quantile(1.5), r"must be in the range \[0, 1\] but got 1.5"),
            (lambda x: x.quantile(torch.tensor([0.5, 1.5])), r"q values must be in the range \[0, 1\]"),
            (lambda x: x.quantile(torch.tensor([0.5]).double()), "same dtype as the input"),
            (lambda x: x.quantile(torch.tensor([[0.5]])), "scalar or 1D"),
            (lambda x: x.long().quantile(0.5), "either float or double dtype"),
            (lambda x: x[:0].quantile(0.5), "must be non-empty"),
            (lambda x: x.quantile(0.5, interpolation="bogus"), "but got bogus"),
        ],
    )
    def test_refusals(self, call, text):
        with pytest.raises(RuntimeError, match=text):
            values(call(torch.tensor([1.0, 2.0])))


class TestSegments:
    def test_an_empty_segment_has_the_identity_or_what_begins(self):
        x, lengths = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 3])
        nan_equal(torch.segment_reduce(x, "mean", lengths=lengths), [NAN, 2.0])
        assert values(torch.segment_reduce(x, "mean", lengths=lengths, initial=3)) == [3.0, 3.0]
        assert values(torch.segment_reduce(x, "max", lengths=lengths)) == [-INF, 3.0]

    def test_offsets_may_leave_elements_out(self):
        x = torch.tensor([1.0, 2.0, 3.0])
        assert values(torch.segment_reduce(x, "sum", offsets=torch.tensor([1, 2]))) == [2.0]

    def test_rows_have_lengths_of_their_own_and_equal_extrema_share(self):
        x = torch.tensor([[1.0, 1.0, 0.0], [5.0, 6.0, 7.0]], requires_grad=True)
        made = torch.segment_reduce(x, "max", lengths=torch.tensor([[2, 1], [1, 2]]), axis=1)
        assert values(made) == [[1.0, 0.0], [5.0, 7.0]]
        made.sum().backward()
        assert values(x.grad) == [[0.5, 0.5, 1.0], [1.0, 0.0, 1.0]]

    @pytest.mark.parametrize(
        ("lengths", "text"), [([1, 1], "Expected all rows of lengths"), ([-1, 4], "contains negative value")]
    )
    def test_lengths_must_add_up(self, lengths, text):
        with pytest.raises(RuntimeError, match=text):
            values(torch.segment_reduce(torch.ones(3), "sum", lengths=torch.tensor(lengths)))


def test_nonzero_static_cuts_and_fills():
    x = torch.tensor([[0, 1], [2, 3]])
    assert values(torch.nonzero_static(x, size=2)) == [[0, 1], [1, 0]]
    assert values(torch.nonzero_static(x, size=4, fill_value=7)) == [[0, 1], [1, 0], [1, 1], [7, 7]]
    assert torch.nonzero_static(torch.tensor(1.0), size=3).shape == (3, 0)


def test_hash_tensor_is_an_exclusive_or_of_bits():
    assert torch.hash_tensor(torch.tensor([1, 2, 3])).item() == 0
    assert torch.hash_tensor(torch.tensor([1.0, 2.0, 3.0])).item() == 4609434218613702656
    assert values(torch.hash_tensor(torch.tensor([[5, 6], [1, 1]]), 0)) == [4, 7]


@pytest.mark.oracle
def test_histograms_of_many_numbers_agree():
    real = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.standard_normal(5000).astype(np.float32)
    w = rng.random(5000).astype(np.float32)
    for bins in (1, 7, 100):
        ours, theirs = torch.histc(torch.tensor(x), bins), real.histc(real.tensor(x), bins)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        mine, its = torch.histogram(torch.tensor(x), bins), real.histogram(real.tensor(x), bins)
        np.testing.assert_allclose(mine.bin_edges.numpy(), its.bin_edges.numpy(), rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(
            torch.histogram(torch.tensor(x), torch.tensor(its.bin_edges.numpy())).hist.numpy(), its.hist.numpy()
        )
    edges = np.sort(rng.standard_normal(20)).astype(np.float32)
    weighted = torch.histogram(torch.tensor(x), torch.tensor(edges), weight=torch.tensor(w), density=True).hist
    expected = real.histogram(real.tensor(x), real.tensor(edges), weight=real.tensor(w), density=True).hist
    np.testing.assert_allclose(weighted.numpy(), expected.numpy(), rtol=1e-4)


@pytest.mark.oracle
def test_unique_rows_agree():
    real = pytest.importorskip("torch")
    x = np.random.default_rng(1).integers(0, 3, (60, 3, 2))
    for dim in (None, 0, 1, -1):
        ours = torch.unique(torch.tensor(x), return_inverse=True, return_counts=True, dim=dim)
        theirs = real.unique(real.tensor(x), return_inverse=True, return_counts=True, dim=dim)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
