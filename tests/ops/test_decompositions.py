"""Decompositions: what the factors multiply to, PyTorch's conventions of derivatives, and its errors."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import torchish as torch
from torchish._core.user_warnings import forget

GENERAL = [[2.0, 0.3, 0.1], [-0.4, 1.0, 0.2], [0.3, 0.6, 0.5]]
DEFINITE = [[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]]
INDEFINITE = [[4.0, 2.0, 7.0], [2.0, -3.0, 0.5], [7.0, 0.5, 1.0]]


def double(data, **options):
    return torch.tensor(data, dtype=torch.float64, **options)


def close(actual, expected, tolerance=1e-10):
    np.testing.assert_allclose(np.asarray(actual.detach()), np.asarray(expected), rtol=tolerance, atol=tolerance)


class TestFactorsMultiplyToTheMatrix:
    @pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (3, 5)])
    def test_qr_svd_and_lu(self, shape):
        torch.manual_seed(1)
        A = torch.randn(shape, dtype=torch.complex128)
        Q, R = torch.linalg.qr(A)
        close(Q @ R, A)
        U, S, Vh = torch.linalg.svd(A, full_matrices=False)
        close(U @ torch.diag_embed(S).to(A.dtype) @ Vh, A)
        P, L, U = torch.linalg.lu(A)
        close(P @ L @ U, A)
        close(torch.lu_unpack(*torch.linalg.lu_factor(A))[1], L)

    def test_eigenvectors_have_length_1(self):
        A = double(GENERAL)
        L, V = torch.linalg.eig(A)
        assert L.dtype == torch.complex128
        close(A.to(V.dtype) @ V, V * L)
        close(V.abs().square().sum(0), [1, 1, 1])

    @pytest.mark.parametrize("UPLO, other", [("L", 0.0), ("U", 9.0)])
    def test_eigh_reads_one_triangle(self, UPLO, other):
        A = torch.tril(double(DEFINITE)) + torch.triu(torch.full((3, 3), other, dtype=torch.float64), 1)
        whole = torch.tril(A) + torch.tril(A, -1).mT if UPLO == "L" else torch.triu(A) + torch.triu(A, 1).mT
        L, V = torch.linalg.eigh(A, UPLO)
        close(V * L @ V.mT, whole)

    @pytest.mark.parametrize("hermitian", [False, True])
    def test_ldl_of_complex_matrices_solves(self, hermitian):
        torch.manual_seed(2)
        A = torch.randn(2, 5, 5, dtype=torch.complex128)
        A = A + (A.mH if hermitian else A.mT)
        A = A - torch.diag_embed(torch.diagonal(A, dim1=-2, dim2=-1))  # so that no single pivot will do
        LD, pivots = torch.linalg.ldl_factor(A, hermitian=hermitian)
        assert (pivots < 0).any(), "the case has a 2 x 2 block"
        B = torch.randn(2, 5, 3, dtype=torch.complex128)
        close(A @ torch.linalg.ldl_solve(LD, pivots, B, hermitian=hermitian), B)

    @pytest.mark.parametrize("left", [True, False])
    @pytest.mark.parametrize("adjoint", [True, False])
    def test_lu_solve(self, left, adjoint):
        torch.manual_seed(3)
        A, B = torch.randn(3, 3, dtype=torch.complex128), torch.randn(2, 3, 3, dtype=torch.complex128)
        X = torch.linalg.lu_solve(*torch.linalg.lu_factor(A), B, left=left, adjoint=adjoint)
        A = A.mH if adjoint else A
        close(A @ X if left else X @ A, B)

    def test_reflections(self):
        A = double(GENERAL)
        a, tau = torch.geqrf(A)
        Q = torch.orgqr(a, tau)
        close(Q @ torch.triu(a), A)
        close(torch.ormqr(a, tau, A, transpose=True), Q.mT @ A)
        close(torch.ormqr(a, tau, A, left=False), A @ Q)

    @pytest.mark.parametrize("driver", [None, "gels", "gelsd"])
    def test_least_squares(self, driver):
        A, b = double([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), double([1.0, 2.0, 2.0])
        found = torch.linalg.lstsq(A, b, driver=driver)
        close(found.solution, [7 / 6, 0.5])
        assert found.residuals.shape == ((0,) if driver is None else (1,))
        assert found.rank.tolist() == ([] if driver == "gels" else 2)
        assert found.singular_values.shape == ((2,) if driver == "gelsd" else (0,))

    def test_the_least_squares_of_low_rank_has_no_residuals(self):
        found = torch.linalg.lstsq(torch.ones(3, 2), torch.tensor([[1.0], [2.0], [3.0]]), driver="gelsd")
        close(found.solution, [[1.0], [1.0]], 1e-5)
        assert (found.rank.item(), found.residuals.shape) == (1, (0,))

    def test_low_rank(self):
        torch.manual_seed(4)
        A = torch.randn(8, 2, dtype=torch.float64) @ torch.randn(2, 5, dtype=torch.float64)
        for matrix in (A, A.mT):
            U, S, V = torch.svd_lowrank(matrix, q=2)
            close(U * S @ V.mT, matrix)


class TestWithoutElements:
    def test_empty_matrices(self):
        A = torch.ones(0, 0)
        assert torch.linalg.cholesky(A).shape == torch.linalg.eigh(A)[1].shape == (0, 0)
        assert torch.linalg.eig(torch.ones(2, 0, 0))[0].shape == (2, 0)
        assert torch.linalg.lu_factor(A).pivots.dtype == torch.int32
        U, S, Vh = torch.linalg.svd(torch.ones(3, 0))
        assert (U.tolist(), S.shape, Vh.shape) == (torch.eye(3).tolist(), (0,), (0, 0))
        assert torch.linalg.lstsq(torch.ones(0, 2), torch.ones(0, 3)).solution.tolist() == [[0.0] * 3] * 2


class TestDerivatives:
    def test_of_cholesky_is_symmetric(self):
        A = double(DEFINITE, requires_grad=True)
        torch.linalg.cholesky(A).sum().backward()
        close(A.grad, A.grad.mT)
        assert abs(A.grad[0, 1].item()) > 0.1

    def test_of_cholesky_solve_is_by_the_whole_factor(self):
        L = double([[2.0, 0.0], [1.0, 1.0]], requires_grad=True)
        torch.cholesky_solve(double([[1.0], [2.0]]), L).sum().backward()
        close(L.grad, [[0.25, 0.25], [-1.0, -1.5]])

    def test_of_eigenvalues_that_are_equal(self):
        A = torch.eye(3, dtype=torch.float64, requires_grad=True)
        for values in (torch.linalg.eigvalsh, torch.linalg.svdvals, lambda x: torch.linalg.eig(x)[0].real):
            (gradient,) = torch.autograd.grad(values(A).sum(), A)
            close(gradient, np.eye(3))
        (gradient,) = torch.autograd.grad(torch.linalg.eigh(A)[1].sum(), A)
        assert gradient.isnan().all()

    def test_of_columns_that_complete_a_basis_is_zero(self):
        A = double([[1.0, 0.5], [0.2, 2.0], [0.3, 0.1]], requires_grad=True)
        (gradient,) = torch.autograd.grad(torch.linalg.svd(A)[0][:, 2].sum(), A)
        assert gradient.tolist() == [[0.0, 0.0]] * 3

    def test_of_qr_of_a_wide_matrix(self):
        A = double([[1.0, 0.5, 0.2], [0.3, 2.0, 0.1]], requires_grad=True)
        R = torch.linalg.qr(A)[1]
        # R's columns have the lengths of A's.
        (gradient,) = torch.autograd.grad(R.square().sum(), A)
        close(gradient, 2 * A.detach())

    def test_of_complex_eigenvectors_must_not_depend_on_their_phase(self):
        A = torch.tensor(DEFINITE, dtype=torch.complex128, requires_grad=True)
        (gradient,) = torch.autograd.grad(torch.linalg.eigh(A)[1].abs().sum(), A, create_graph=True)
        torch.autograd.grad(gradient.abs().sum(), A)  # of which a part passes through the eigenvectors again
        with pytest.raises(RuntimeError, match="linalg_eigh_backward: The eigenvectors in the complex case"):
            torch.autograd.grad((torch.linalg.eigh(A)[1] * 1j).real.sum(), A)[0].tolist()

    def test_a_refused_derivative_raises_on_the_way_back(self):
        A = torch.ones(3, 2, requires_grad=True)
        for result, error in (
            (torch.linalg.qr(A, "r")[1], "The derivative of linalg.qr depends on Q"),
            (torch.linalg.qr(A, "complete")[1], "not differentiable when mode='complete' and nrows > ncols"),
            (torch.geqrf(A)[0], "the derivative for 'geqrf' is not implemented."),
            (torch.linalg.ldl_factor_ex(A[:2])[0], "derivative for aten::linalg_ldl_factor_ex is not implemented"),
        ):
            assert result.requires_grad
            with pytest.raises(RuntimeError, match=re.escape(error)):
                result.sum().backward()


class TestErrors:
    def test_a_matrix_that_is_not_positive_definite(self):
        assert issubclass(torch.linalg.LinAlgError, RuntimeError)
        A = torch.tensor([DEFINITE, INDEFINITE])
        message = (
            "linalg.cholesky: (Batch element 1): The factorization could not be completed because the input is not "
            "positive-definite (the leading minor of order 2 is not positive-definite)."
        )
        with pytest.raises(torch.linalg.LinAlgError, match=re.escape(message)):
            torch.linalg.cholesky(A)

    def test_the_error_comes_where_it_can_be_caught(self):
        K = torch.tensor(INDEFINITE)
        K = K + torch.eye(3)  # pending
        tries = 0
        while True:
            try:
                L = torch.linalg.cholesky(K)
                break
            except torch.linalg.LinAlgError:
                tries += 1
                K = K + 2 * torch.eye(3)
        assert tries > 0
        close(L @ L.mT, K, 1e-5)

    def test_info_in_place_of_an_error(self):
        L, info = torch.linalg.cholesky_ex(torch.tensor([DEFINITE, INDEFINITE]))
        assert (info.tolist(), info.dtype) == ([0, 2], torch.int32)
        close(L[1], [[2.0, 0.0, 0.0], [1.0, -4.0, 0.0], [3.5, 0.5, 1.0]], 1e-6)  # as LAPACK leaves it
        assert torch.linalg.lu_factor_ex(torch.zeros(2, 2)).info.item() == 1
        assert torch.linalg.ldl_factor_ex(torch.zeros(2, 2)).info.item() == 1

    def test_data_that_has_no_decomposition(self):
        bad = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
        with pytest.raises(torch.linalg.LinAlgError, match="contained non-finite values"):
            torch.linalg.svdvals(bad)
        with pytest.raises(RuntimeError, match="input tensor should not contain infs or NaNs"):
            torch.linalg.eig(bad)
        with pytest.raises(RuntimeError, match=re.escape("torch.linalg.lu_factor: U[1,1] is zero")):
            torch.linalg.lu_factor(torch.zeros(2, 2))
        with pytest.raises(torch.linalg.LinAlgError, match="cholesky_inverse: The diagonal element 2 is zero"):
            torch.cholesky_inverse(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        with pytest.raises(RuntimeError, match=re.escape("must all be smaller or equal to LU.size(-2)")):
            torch.linalg.lu_solve(torch.eye(2), torch.tensor([1, 3], dtype=torch.int32), torch.eye(2))

    @pytest.mark.parametrize(
        "name, argument, error, message",
        [
            ("cholesky", torch.ones(2, 3), RuntimeError, "A must be batches of square matrices, but they are 2 by 3"),
            ("eigh", torch.ones(3), RuntimeError, "linalg.eigh: The input tensor A must have at least 2 dimensions."),
            (
                "svd",
                torch.ones(2, 2).long(),
                RuntimeError,
                "Expected a floating point or complex tensor as input. Got L",
            ),
            ("qr", torch.ones(2, 2).half(), NotImplementedError, "\"geqrf_cpu\" not implemented for 'Half'"),
            ("lu", torch.ones(2, 2).long(), NotImplementedError, "\"lu_cpu\" not implemented for 'Long'"),
        ],
    )
    def test_wrong_arguments(self, name, argument, error, message):
        with pytest.raises(error, match=re.escape(message)):
            getattr(torch.linalg, name)(argument)

    def test_an_older_name_warns_once(self):
        forget()
        with pytest.warns(
            UserWarning, match=re.escape("torch.cholesky is deprecated in favor of torch.linalg.cholesky")
        ):
            torch.cholesky(torch.eye(2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            torch.cholesky(torch.eye(2))


def test_results_have_names_and_out():
    found = torch.linalg.eigh(torch.eye(2))
    assert repr(found).startswith("torch.return_types.linalg_eigh(\neigenvalues=tensor([1., 1.]),\neigenvectors=")
    out = (torch.empty(0), torch.empty(0), torch.empty(0))
    _, S, _ = torch.linalg.svd(torch.eye(2), out=out)
    assert S is out[1] and S.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got double instead"):
        torch.linalg.svdvals(torch.eye(2), out=torch.empty(0, dtype=torch.float64))


@pytest.mark.oracle
def test_ldl_is_lapacks():
    real = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    A = rng.standard_normal((4, 7, 7))
    A = A + A.transpose(0, 2, 1)
    wanted, found = real.linalg.ldl_factor(real.tensor(A)), torch.linalg.ldl_factor(torch.tensor(A))
    close(found.LD, wanted.LD.numpy(), 1e-9)
    assert found.pivots.tolist() == wanted.pivots.tolist()


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["linalg.cholesky", "linalg.qr", "linalg.lu", "linalg.svdvals", "linalg.eigvals"])
def test_second_derivatives(name):
    real = pytest.importorskip("torch")

    def hessian_of_something(torch, A):
        function = getattr(torch.linalg, name.split(".")[1])
        results = function(A)
        parts = results if isinstance(results, tuple) else (results,)
        total = sum((x.abs() * (1 + x.abs())).sum() for x in parts if x.requires_grad)
        (first,) = torch.autograd.grad(total, A, create_graph=True)
        return torch.autograd.grad(first.square().sum(), A)[0]

    wanted = hessian_of_something(real, real.tensor(DEFINITE, dtype=real.float64, requires_grad=True))
    close(hessian_of_something(torch, double(DEFINITE, requires_grad=True)), wanted.numpy(), 1e-7)
