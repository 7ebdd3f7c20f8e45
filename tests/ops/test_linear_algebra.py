"""Determinants, inverses, norms, distances: conventions of PyTorch, its refusals, and derivatives at the odd places."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest

import torchish as torch
from torchish import linalg

ZEROS = [[0.0, 0.0], [0.0, 0.0]]


def leaf(data: Any) -> Any:
    return torch.tensor(data, dtype=torch.float64, requires_grad=True)


def gradient(y: Any, x: Any, **options: Any) -> Any:
    return torch.autograd.grad(y, x, **options)[0]


def refuses(kind: type[Exception], text: str):
    """An error of exactly this text, which names the operation besides where that was pending."""
    return pytest.raises(kind, match=f"^{re.escape(text)}(\n|$)")


def read(result: Any) -> None:
    """Read a result: what it is made of may be pending, and be checked then."""
    for t in result if isinstance(result, tuple) else (result,):
        t.tolist()


class TestDeterminant:
    def test_of_matrices_without_elements(self):
        assert linalg.det(torch.zeros(0, 0)).item() == 1
        assert linalg.det(torch.zeros(3, 0, 0)).tolist() == [1, 1, 1]
        assert tuple(linalg.det(torch.zeros(0, 3, 3)).shape) == (0,)

    def test_a_permutation_has_its_sign(self):
        assert linalg.det(torch.eye(4)[[1, 0, 3, 2]]).item() == 1
        assert linalg.det(torch.eye(4)[[1, 2, 3, 0]]).item() == -1

    @pytest.mark.parametrize(
        ("matrix", "adjugate"),
        [
            ([[0.0, 1.0], [0.0, 2.0]], [[2.0, 0.0], [-1.0, 0.0]]),
            ([[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
            (ZEROS, ZEROS),
            ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 5.0, 9.0]], [[6.0, -12.0, 6.0], [-3.0, 6.0, -3.0], [0.0] * 3]),
            ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]], [[0.0] * 3] * 3),
        ],
    )
    def test_the_gradient_of_a_singular_matrix_is_its_cofactors(self, matrix, adjugate):
        x = leaf(matrix)
        np.testing.assert_allclose(gradient(linalg.det(x), x).tolist(), adjugate, atol=1e-12)

    def test_the_second_derivative_of_a_singular_matrix_is_that_of_the_polynomial(self):
        x = leaf([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 5.0, 9.0]])
        a, b, c, d, e, f, g, h, i = x.reshape(-1).unbind()
        polynomial = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
        weights = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)
        second = [
            gradient((gradient(y, x, create_graph=True) * weights).sum(), x).tolist()
            for y in (linalg.det(x), polynomial)
        ]
        np.testing.assert_allclose(*second, atol=1e-10)

    def test_slogdet_of_a_singular_matrix(self):
        sign, log = linalg.slogdet(torch.tensor(ZEROS))
        assert (sign.item(), log.item()) == (0, -math.inf)

    def test_slogdet_has_names(self):
        assert repr(torch.slogdet(torch.eye(2))) == (
            "torch.return_types.slogdet(\nsign=tensor(1.),\nlogabsdet=tensor(0.))"
        )
        assert repr(linalg.slogdet(torch.eye(2))).startswith("torch.return_types.linalg_slogdet(")

    def test_logdet(self):
        assert math.isnan(torch.logdet(torch.tensor([[0.0, 1.0], [1.0, 0.0]])).item())
        assert torch.logdet(torch.tensor(ZEROS)).item() == -math.inf
        assert torch.logdet(2 * torch.eye(2)).item() == pytest.approx(2 * math.log(2))

    @pytest.mark.parametrize(
        ("function", "argument", "kind", "text"),
        [
            ("linalg.det", torch.ones(3), RuntimeError, "{0}: The input tensor A must have at least 2 dimensions."),
            (
                "linalg.det",
                torch.ones(2, 3),
                RuntimeError,
                "{0}: A must be batches of square matrices, but they are 2 by 3 matrices",
            ),
            (
                "linalg.det",
                torch.ones(2, 2, dtype=torch.int64),
                RuntimeError,
                "{0}: Expected a floating point or complex tensor as input. Got Long",
            ),
            ("linalg.det", torch.ones(2, 2).half(), NotImplementedError, "\"lu_cpu\" not implemented for 'Half'"),
            (
                "linalg.slogdet",
                torch.ones(2, 2).half(),
                RuntimeError,
                "{0}: Low precision dtypes not supported. Got Half",
            ),
            (
                "logdet",
                torch.ones(2, 2).bfloat16(),
                RuntimeError,
                "{0}: Low precision dtypes not supported. Got BFloat16",
            ),
            ("linalg.inv", torch.ones(2, 2).half(), RuntimeError, "{0}: Low precision dtypes not supported. Got Half"),
        ],
    )
    def test_refusals(self, function, argument, kind, text):
        found: Any = torch
        for part in function.split("."):
            found = getattr(found, part)
        with refuses(kind, text.format(function)):
            found(argument)


class TestInverse:
    def test_the_error_is_a_class_of_its_own(self):
        assert issubclass(linalg.LinAlgError, RuntimeError)
        assert repr(linalg.LinAlgError) == "<class 'torch._C._LinAlgError'>"

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (lambda: linalg.inv(torch.tensor(ZEROS)), "linalg.inv: The diagonal element 1 is zero, the inversion"),
            (
                lambda: torch.tensor([[1.0] * 3] * 3).inverse(),
                "linalg.inv: The diagonal element 2 is zero, the inversion",
            ),
            (
                lambda: linalg.inv(torch.stack([torch.eye(2), torch.zeros(2, 2)])),
                "linalg.inv: (Batch element 1): The diagonal element 1 is zero, the inversion",
            ),
            (
                lambda: linalg.inv_ex(torch.tensor(ZEROS), check_errors=True),
                "linalg.inv_ex: The diagonal element 1 is zero, the inversion",
            ),
            (lambda: linalg.tensorinv(torch.zeros(4, 2, 2), 1), "inv: The diagonal element 1 is zero, the inversion"),
            (
                lambda: linalg.matrix_power(torch.ones(3, 3), -2),
                "linalg.inv: The diagonal element 2 is zero, the inversion",
            ),
        ],
    )
    def test_singular_matrices_are_refused(self, call, text):
        text += " could not be completed because the input matrix is singular."
        with refuses(linalg.LinAlgError, text):
            read(call())

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (lambda: linalg.solve(torch.zeros(2, 2), torch.ones(2)), "torch.linalg.solve: "),
            (
                lambda: linalg.solve(torch.stack([torch.eye(2), torch.zeros(2, 2)]), torch.ones(2, 1)),
                "torch.linalg.solve: (Batch element 1): ",
            ),
            (lambda: linalg.solve_ex(torch.zeros(2, 2), torch.ones(2), check_errors=True), "torch.linalg.solve_ex: "),
            (lambda: linalg.tensorsolve(torch.zeros(2, 2, 4), torch.ones(2, 2)), "torch.linalg.solve: "),
        ],
    )
    def test_singular_systems_are_refused(self, call, text):
        with refuses(linalg.LinAlgError, f"{text}The solver failed because the input matrix is singular."):
            read(call())

    def test_a_singular_matrix_among_pending_work_is_found_at_the_reading(self):
        x = torch.ones(2, 2) * 2
        with pytest.raises(linalg.LinAlgError):
            (linalg.inv(x - 2) + 1).tolist()

    def test_info_counts_the_pivot(self):
        result = linalg.inv_ex(torch.stack([torch.eye(3), torch.ones(3, 3), torch.zeros(3, 3)]))
        assert result.info.tolist() == [0, 2, 1]
        assert result.info.dtype == torch.int32
        assert result.inverse[0].tolist() == torch.eye(3).tolist()
        assert linalg.solve_ex(torch.zeros(2, 2), torch.ones(2)).info.item() == 1

    @pytest.mark.parametrize(
        ("a", "b", "result"),
        [
            ((3, 3), (3,), (3,)),
            ((3, 3), (3, 2), (3, 2)),
            ((2, 3, 3), (3,), (2, 3)),
            ((2, 3, 3), (2, 3), (2, 3)),  # one vector a matrix
            ((2, 3, 3), (3, 2), (2, 3, 2)),
            ((2, 3, 3), (5, 2, 3, 1), (5, 2, 3, 1)),
            ((0, 3, 3), (3, 2), (0, 3, 2)),
            ((3, 3), (3, 0), (3, 0)),
        ],
    )
    def test_which_right_hand_sides_are_vectors(self, a, b, result):
        assert tuple(linalg.solve(torch.eye(3).expand(a) * 2, torch.ones(b)).shape) == result

    @pytest.mark.parametrize(
        ("a", "b", "left", "text"),
        [
            ((3, 3), (2, 3), True, "Incompatible shapes of A and B for the equation AX = B (3x3 and 2x3)"),
            ((3, 3), (4,), True, "Incompatible shapes of A and B for the equation AX = B (3x3 and 4x1)"),
            ((3, 3), (3,), False, "Incompatible shapes of A and B for the equation XA = B (3x3 and 3x1)"),
            ((3, 3), (), True, "The input tensor B must have at least 2 dimensions."),
        ],
    )
    def test_systems_that_do_not_fit(self, a, b, left, text):
        with refuses(RuntimeError, f"linalg.solve: {text}"):
            linalg.solve(torch.ones(a), torch.ones(b), left=left)

    def test_the_dtypes_of_a_system_are_the_same(self):
        with refuses(
            RuntimeError,
            "linalg.solve: Expected A and B to have the same dtype, but found A of type Float and B of type Double instead",
        ):
            linalg.solve(torch.eye(2), torch.ones(2).double())

    def test_solving_from_the_right(self):
        a = torch.tensor([[2.0, 1.0], [0.0, 4.0]])
        b = torch.tensor([[2.0, 5.0]])
        np.testing.assert_allclose((linalg.solve(a, b, left=False) @ a).tolist(), b.tolist(), rtol=1e-6)


class TestPseudoInverse:
    def test_small_singular_values_are_dropped(self):
        x = torch.diag(torch.tensor([4.0, 1.0]))
        assert linalg.pinv(x).tolist() == [[0.25, 0], [0, 1]]
        assert linalg.pinv(x, rtol=0.5).tolist() == [[0.25, 0], [0, 0]]
        assert linalg.pinv(x, 0.5).tolist() == [[0.25, 0], [0, 0]]
        assert linalg.pinv(x, atol=2.0).tolist() == [[0.25, 0], [0, 0]]
        assert linalg.pinv(x.expand(2, 2, 2), atol=torch.tensor([0.5, 5.0]))[:, 0, 0].tolist() == [0.25, 0]

    def test_hermitian_reads_the_lower_triangle(self):
        x = torch.tensor([[2.0, 7.0], [0.0, 4.0]])
        np.testing.assert_allclose(linalg.pinv(x, hermitian=True).tolist(), [[0.5, 0], [0, 0.25]], atol=1e-6)

    def test_ranks(self):
        x = torch.diag(torch.tensor([4.0, 1.0, 0.0]))
        ranks = [
            linalg.matrix_rank(x),
            linalg.matrix_rank(x, 2.0),
            linalg.matrix_rank(x, rtol=0.5),
            linalg.matrix_rank(x, atol=torch.tensor(5.0)),
            linalg.matrix_rank(-x, hermitian=True),
            linalg.matrix_rank(torch.zeros(0, 3)),
        ]
        assert [r.item() for r in ranks] == [2, 1, 1, 0, 2, 0]
        assert ranks[0].dtype == torch.int64

    def test_what_is_not_finite_has_no_singular_values(self):
        text = "The algorithm failed to converge because the input matrix contained non-finite values."
        x = torch.full((2, 2), math.nan)
        for function in (linalg.pinv, linalg.matrix_rank, linalg.cond, lambda a: linalg.matrix_norm(a, 2)):
            with refuses(linalg.LinAlgError, f"linalg.svd: {text}"):
                read(function(x))
        with refuses(linalg.LinAlgError, f"linalg.svd: (Batch element 1): {text}"):
            read(linalg.pinv(torch.stack([torch.eye(2), x])))


class TestFunctions:
    def test_powers(self):
        x = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
        assert [linalg.matrix_power(x, n)[0, 1].item() for n in (-2, -1, 0, 1, 2, 3, 7, 10)] == [
            -2,
            -1,
            0,
            1,
            2,
            3,
            7,
            10,
        ]
        assert linalg.matrix_power(torch.ones(2, 2, dtype=torch.int64), 3).tolist() == [[4, 4], [4, 4]]

    @pytest.mark.parametrize("scale", [0.1, 3.0, 40.0])
    def test_the_exponential_of_a_rotation(self, scale):
        x = torch.tensor([[0.0, -scale], [scale, 0.0]], dtype=torch.float64)
        c, s = math.cos(scale), math.sin(scale)
        np.testing.assert_allclose(torch.matrix_exp(x).tolist(), [[c, -s], [s, c]], atol=1e-12)

    def test_the_exponential_of_large_and_strange_matrices(self):
        assert torch.matrix_exp(torch.tensor([[0.0, 2.0**60], [0.0, 0.0]])).tolist() == [[1, 2.0**60], [0, 1]]
        assert torch.matrix_exp(torch.full((2, 2), 100.0)).tolist() == [[math.inf] * 2] * 2
        assert tuple(torch.matrix_exp(torch.zeros(2, 0, 0)).shape) == (2, 0, 0)
        each = torch.matrix_exp(torch.tensor([[[0.001]], [[20.0]]], dtype=torch.float64)).reshape(-1)
        np.testing.assert_allclose(each.tolist(), np.exp([0.001, 20.0]), rtol=1e-13)

    def test_a_chain_of_vectors_and_matrices(self):
        row, square, column = torch.ones(3), torch.eye(3), torch.arange(3.0)
        assert linalg.multi_dot([row, square, column]).tolist() == 3
        assert linalg.multi_dot([row, square]).tolist() == [1, 1, 1]
        assert linalg.multi_dot([square, square, column]).tolist() == [0, 1, 2]

    @pytest.mark.parametrize(
        ("shapes", "text"),
        [
            ([], "expected at least 2 tensors but got 0"),
            ([(2, 3), (3,), (3, 2)], "tensor 1 must be 2D but got 1D"),
            ([(2, 3), (3, 4), (3, 4)], "tensors 1 and 2 with shapes [3, 4] and [3, 4] cannot be multiplied"),
            ([(2, 3), ()], "the last tensor must be 1D or 2D but got 0D"),
        ],
    )
    def test_chains_that_do_not_fit(self, shapes, text):
        with refuses(RuntimeError, f"multi_dot(): {text}"):
            linalg.multi_dot([torch.ones(s) for s in shapes])

    def test_a_chain_is_a_sequence(self):
        with refuses(
            TypeError, "linalg_multi_dot(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        ):
            linalg.multi_dot(torch.ones(3, 3))

    def test_a_chain_is_of_tensors(self):
        with refuses(TypeError, "expected Tensor as element 1 in argument 0, but got int"):
            linalg.multi_dot([torch.ones(3, 3), 1])

    def test_vandermonde_matrices(self):
        x = torch.tensor([1, 2, 3], dtype=torch.int8)
        assert torch.vander(x).tolist() == [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
        assert torch.vander(x, 2, increasing=True).tolist() == [[1, 1], [1, 2], [1, 3]]
        assert linalg.vander(x).dtype == torch.int64
        assert tuple(torch.vander(x, 0).shape) == (3, 0)
        assert tuple(linalg.vander(torch.tensor(2.0), N=3).shape) == (1, 3)

    def test_vecdot_conjugates_the_first(self):
        assert linalg.vecdot(torch.tensor([1j]), torch.tensor([1.0 + 0j])).item() == -1j

    def test_cross_picks_the_first_dimension_of_size_three_and_warns(self):
        x, y = torch.eye(3)[:2].unbind()
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            assert torch.cross(x, y).tolist() == [0, 0, 1]
            with refuses(RuntimeError, "no dimension of size 3 in input"):
                torch.cross(torch.ones(2), torch.ones(2))
        with refuses(RuntimeError, "linalg.cross: inputs dimension -1 must have length 3. Got 2 and 2"):
            linalg.cross(torch.ones(2), torch.ones(2))

    def test_half_precision_products_may_stay_in_float32(self):
        x = torch.full((1, 3), 0.1, dtype=torch.float16)
        wide = torch.mm(x, x.T, out_dtype=torch.float32)
        assert wide.dtype == torch.float32
        assert wide.item() != torch.mm(x, x.T).float().item()
        with refuses(RuntimeError, "out_dtype must be the same as input dtype or fp32 for fp16/bf16 inputs"):
            torch.mm(x, x.T, out_dtype=torch.float64)


class TestNorms:
    MATRIX = torch.tensor([[1.0, -2.0], [3.0, 4.0]], dtype=torch.float64)

    @pytest.mark.parametrize(
        ("ord", "value"),
        [
            (1, 6),
            (-1, 4),
            (math.inf, 7),
            (-math.inf, 3),
            ("fro", math.sqrt(30)),
            ("nuc", math.sqrt(50)),
            (2, 5.116672736),
        ],
    )
    def test_matrix_norms(self, ord, value):
        assert linalg.matrix_norm(self.MATRIX, ord).item() == pytest.approx(value)
        assert linalg.norm(self.MATRIX, ord).item() == pytest.approx(value)
        kept = linalg.matrix_norm(self.MATRIX.expand(4, 2, 2).permute(1, 0, 2), ord, (0, 2), keepdim=True)
        np.testing.assert_allclose(kept.tolist(), np.full((1, 4, 1), value))

    def test_numpys_numbers_are_orders_too(self):
        assert linalg.norm(self.MATRIX, np.int64(1)).item() == 6
        assert linalg.matrix_norm(self.MATRIX, np.float32(1), [0, 1]).item() == 6

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (
                lambda x: linalg.norm(x, 2),
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.",
            ),
            (
                lambda x: linalg.norm(x, dim=(0, 1, 2)),
                "linalg.norm: If dim is specified, it must be of length 1 or 2. Got [0, 1, 2]",
            ),
            (lambda x: linalg.matrix_norm(x, 3), "linalg.matrix_norm: Order 3 not supported."),
            (lambda x: linalg.matrix_norm(x, "abc"), "linalg.matrix_norm: Order abc not supported."),
            (lambda x: linalg.matrix_norm(x, dim=(0, -3)), "linalg.matrix_norm: dims must be different. Got (0, 0)"),
            (lambda x: linalg.matrix_norm(x, dim=(1,)), "linalg.matrix_norm: dim must be a 2-tuple. Got 1"),
            (
                lambda x: linalg.matrix_norm(x.half(), 2),
                "linalg.matrix_norm: Low precision dtypes not supported. Got Half",
            ),
            (lambda x: torch.norm(x, "nuc"), "linalg.matrix_norm: dim must be a 2-tuple. Got 0 1 2"),
            (lambda x: linalg.cond(x, 3), "linalg.cond got an invalid norm type: 3"),
        ],
    )
    def test_refusals(self, call, text):
        with refuses(RuntimeError, text):
            call(torch.ones(2, 2, 2))

    def test_condition_numbers(self):
        assert linalg.cond(torch.diag(torch.tensor([4.0, 2.0]))).item() == 2
        assert linalg.cond(torch.zeros(2, 2), 1).item() == math.inf
        assert math.isnan(linalg.cond(torch.zeros(2, 2)).item())
        assert linalg.cond(torch.zeros(3, 0, 0)).tolist() == [0, 0, 0]

    def test_renorm_leaves_short_slices_alone(self):
        x = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
        np.testing.assert_allclose(torch.renorm(x, 2, 0, 1).tolist(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
        assert x.renorm_(2, 0, 1) is x
        assert x[0].norm().item() <= 1
        with refuses(RuntimeError, "renorm: expected maxnorm to be >= 0 but got -1"):
            read(torch.renorm(x, 2, 0, -1))
        with refuses(RuntimeError, "renorm: non-positive-norm not supported"):
            torch.renorm(x, 0, 0, 1)


class TestDistances:
    @pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, math.inf])
    def test_the_gradient_of_no_distance_is_zero(self, p):
        x = leaf([[1.0, 2.0], [1.0, 2.0]])
        assert gradient(torch.cdist(x, x.detach(), p=p).sum(), x).tolist() == ZEROS
        assert gradient(torch.pdist(x, p=p).sum(), x).tolist() == ZEROS

    def test_the_product_formula_agrees(self):
        x = leaf(np.arange(60.0).reshape(30, 2) ** 1.5)
        y = leaf(np.arange(6.0).reshape(3, 2))
        by_mode = []
        for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"):
            d = torch.cdist(x, y, compute_mode=mode)
            by_mode.append([t.tolist() for t in (d, *torch.autograd.grad((d**2 + d).sum(), (x, y)))])
        for product, plain in zip(*by_mode, strict=True):
            np.testing.assert_allclose(product, plain, rtol=1e-8, atol=1e-8)

    def test_equal_coordinates_each_have_the_whole_slope_of_the_largest(self):
        x, y = leaf([[1.0, -1.0, 0.5]]), torch.zeros(1, 3, dtype=torch.float64)
        assert gradient(torch.cdist(x, y, p=math.inf).sum(), x).tolist() == [[1, -1, 0]]

    def test_pairs_come_row_by_row(self):
        x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
        assert torch.pdist(x).tolist() == [1, 3, 7, 2, 6, 4]
        assert torch.nn.functional.pdist(x, 0).tolist() == [1] * 6
        assert torch.pdist(torch.zeros(1, 3)).tolist() == []

    @pytest.mark.parametrize(
        ("call", "kind", "text"),
        [
            (
                lambda x: torch.cdist(x, torch.ones(4, 3)),
                RuntimeError,
                "X1 and X2 must have the same number of columns. X1: 2 X2: 3",
            ),
            (lambda x: torch.cdist(x, x, p=-1), RuntimeError, "cdist only supports non-negative p values"),
            (lambda x: torch.cdist(x, x, compute_mode="a"), ValueError, "a is not a valid value for compute_mode"),
            (lambda x: torch.cdist(x[0], x), RuntimeError, "cdist only supports at least 2D tensors, X1 got: 1D"),
            (lambda x: torch.cdist(x.half(), x.half()), NotImplementedError, "\"cdist\" not implemented for 'Half'"),
            (lambda x: torch.pdist(x[0]), RuntimeError, "pdist only supports 2D tensors, got: 1D"),
        ],
    )
    def test_refusals(self, call, kind, text):
        with refuses(kind, text):
            call(torch.ones(3, 2))


class TestCovariance:
    X = torch.tensor([[0.0, 2.0, 4.0], [4.0, 2.0, 0.0]])

    def test_corrections_and_weights(self):
        assert torch.cov(self.X).tolist() == [[4, -4], [-4, 4]]
        assert torch.cov(self.X, correction=0)[0, 0].item() == pytest.approx(8 / 3)
        often = torch.cov(self.X, fweights=torch.tensor([1, 2, 1]))
        repeated = torch.cov(self.X[:, [0, 1, 1, 2]])
        np.testing.assert_allclose(often.tolist(), repeated.tolist(), rtol=1e-6)
        assert torch.cov(self.X[0]).item() == 4
        assert torch.corrcoef(self.X).tolist() == [[1, -1], [-1, 1]]

    def test_too_few_observations(self):
        with pytest.warns(UserWarning, match="degrees of freedom is <= 0"):
            assert torch.cov(self.X, correction=3)[0].tolist() == [math.inf, -math.inf]

    @pytest.mark.parametrize(
        ("weights", "text"),
        [
            ({"fweights": torch.ones(3)}, "expected fweights to have integral dtype but got fweights with Float dtype"),
            (
                {"aweights": torch.ones(2)},
                "expected aweights to have the same numel as there are observations in the input but got 2 != 3",
            ),
            ({"fweights": torch.tensor([1, -1, 1])}, "fweights cannot be negative"),
            ({"aweights": torch.zeros(3)}, "weights sum to zero, can't be normalized"),
        ],
    )
    def test_refusals(self, weights, text):
        with refuses(RuntimeError, f"cov(): {text}"):
            read(torch.cov(self.X, **weights))


def oracle_cases() -> list[Any]:
    return [
        pytest.param(lambda t, x: t.linalg.solve(x, x[..., :2]), True, id="solve"),
        pytest.param(lambda t, x: t.linalg.pinv(x[..., :2]), True, id="pinv"),
        pytest.param(lambda t, x: t.matrix_exp(x), False, id="matrix_exp"),
        pytest.param(lambda t, x: t.linalg.cond(x), False, id="cond"),
        pytest.param(lambda t, x: t.cdist(x, x[:, :2].flip(-1), p=1.5), False, id="cdist"),
        pytest.param(lambda t, x: t.renorm(x, 3, 1, 0.7), False, id="renorm"),
    ]


@pytest.mark.oracle
@pytest.mark.parametrize(("function", "is_complex"), oracle_cases())
def test_values_and_gradients_are_pytorchs(function, is_complex):
    oracle = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    data = rng.standard_normal((2, 3, 3))
    if is_complex:
        data = data + 1j * rng.standard_normal((2, 3, 3))
    found = []
    for t in (torch, oracle):
        x = t.tensor(data, requires_grad=True)
        y = function(t, x)
        found.append((y.tolist(), t.autograd.grad((y * y).abs().sum(), x)[0].tolist()))
    for got, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)
