"""Complex tensors: conjugates and parts are views, whose writes and gradients go through; polar, complex, frexp."""

from __future__ import annotations

import math

import numpy as np
import pytest

import torchish as torch


def z(**options):
    return torch.tensor([1 + 2j, 3 - 4j, -1j], **options)


class TestConjugates:
    def test_shares_its_data(self):
        a = z()
        b = a.conj()
        assert b.is_conj() and not a.is_conj() and b._is_view() and b.data_ptr() == a.data_ptr()
        a[0] = 5 + 5j
        assert b.tolist()[0] == 5 - 5j
        b.mul_(1j)
        b[1:2].fill_(7 + 1j)
        assert a.tolist() == [5 - 5j, 7 - 1j, -1 + 0j]
        assert a._version == b._version == 3

    def test_views_of_it(self):
        b = z().conj()
        for view in (
            b[1:],
            b.view(3, 1),
            b.unsqueeze(0),
            b.expand(2, 3),
            b[0],
            b.chunk(2)[0],
            b.detach(),
            b.flip(0).conj(),
        ):
            assert view.is_conj()
        assert b[1].item() == 3 + 4j
        assert b.view(3, 1).t().tolist() == [[1 - 2j, 3 + 4j, 1j]]
        assert not (b + 0).is_conj() and not b.clone().is_conj() and not b.conj().is_conj()

    def test_parts_of_it(self):
        a = z()
        negative = a.conj().imag
        assert negative.is_neg() and negative.tolist() == [-2.0, 4.0, 1.0] and not a.conj().real.is_neg()
        negative.mul_(2)
        negative[0] = 9.0
        assert a.imag.tolist() == [-9.0, -8.0, -2.0]
        assert not negative.resolve_neg().is_neg() and negative.resolve_neg().tolist() == [9.0, 8.0, 2.0]

    def test_resolving(self):
        a = z()
        assert a.resolve_conj() is a and torch.resolve_neg(a) is a
        copy = a.conj().resolve_conj()
        assert not copy.is_conj() and copy.data_ptr() != a.data_ptr() and copy.tolist() == [1 - 2j, 3 + 4j, 1j]
        real = torch.ones(2)
        assert torch.conj(real) is real

    def test_what_needs_the_data_itself(self):
        b = z().conj()
        with pytest.raises(
            RuntimeError, match=r"^Can't call numpy\(\) on Tensor that has conjugate bit set. Use tensor.res"
        ):
            b.numpy()
        with pytest.raises(RuntimeError, match=r"^Can't call numpy\(\) on Tensor that has negative bit set."):
            b.imag.numpy()
        assert b.numpy(force=True).tolist() == [1 - 2j, 3 + 4j, 1j]
        with pytest.raises(RuntimeError, match="view_as_real doesn't work on unresolved conjugated tensors"):
            torch.view_as_real(b)
        with pytest.raises(
            RuntimeError, match="not supported for conjugate view tensors when converting to a different"
        ):
            b.view(torch.float32)
        assert repr(b) == "tensor([1.-2.j, 3.+4.j, -0.+1.j])"

    def test_adjoint(self):
        m = torch.tensor([[1j, 2.0], [3.0, 4j]])
        assert m.mH.is_conj() and m.H.tolist() == [[-1j, 3 + 0j], [2 + 0j, -4j]]
        m.mH[0, 1] = 5j
        assert m[1, 0].item() == -5j
        with pytest.raises(
            RuntimeError, match=r"^tensor.adjoint\(\) is only supported on matrices or batches of matrices"
        ):
            z().adjoint()
        with pytest.raises(RuntimeError, match=r"Got 3-D tensor. For batches of matrices, consider using tensor.mH$"):
            m[None].H  # noqa: B018

    def test_gradients(self):
        a = z(requires_grad=True)
        b = a * 1
        c = b.conj()
        assert type(c.grad_fn).__name__ == "ConjBackward0"
        c.mul_(2j)
        assert type(c.grad_fn).__name__ == "ConjBackward0" and type(b.grad_fn).__name__ == "CopySlices"
        (b.real.sum() + b.imag.sum() * 2).backward()
        assert a.grad.tolist() == [-4 + 2j] * 3

    def test_gradient_through_a_negative(self):
        a = z(requires_grad=True)
        a.conj().imag.sum().backward()
        assert a.grad.tolist() == [-1j] * 3


class TestParts:
    def test_writes_go_through(self):
        a = z()
        a.real.mul_(2)
        a.imag = 5.0
        assert a.tolist() == [2 + 5j, 6 + 5j, 5j]
        torch.view_as_real(a)[0, 1] = 1.0
        assert a[0].item() == 2 + 1j
        pairs = torch.ones(2, 2)
        torch.view_as_complex(pairs).mul_(1j)
        assert pairs.tolist() == [[-1.0, 1.0], [-1.0, 1.0]]

    def test_gradient_of_a_write(self):
        a = z(requires_grad=True)
        b = a * 1
        b.real.mul_(3.0)
        (b * b).real.sum().backward()
        # b = 3 re + i im: of 9 re**2 - im**2
        np.testing.assert_allclose(a.grad.numpy(), 18 * a.detach().numpy().real - 2j * a.detach().numpy().imag)

    def test_polar_and_complex(self):
        made = torch.polar(torch.tensor([2.0, 1.0]), torch.tensor([0.0, math.pi / 2]))
        np.testing.assert_allclose(made.numpy(), [2, 1j], atol=1e-6)
        for function in (torch.polar, torch.complex):
            with pytest.raises(
                RuntimeError,
                match=r"^Expected object of scalar type ComplexFloat but got scalar type ComplexDouble for argument 'out'$",
            ):
                function(torch.ones(1), torch.ones(1), out=torch.zeros(1, dtype=torch.complex128))
            with pytest.raises(RuntimeError, match="scalar type Float but got scalar type Double for second argument"):
                function(torch.ones(1), torch.ones(1, dtype=torch.float64))
            with pytest.raises(RuntimeError, match=r"tensor a \(3\) must match the size of tensor b \(2\)"):
                function(torch.ones(3), torch.ones(2))


class TestFrexp:
    def test_values(self):
        x = torch.tensor([0.0, -0.0, math.inf, 1e-40, 1e-45, -12.0])
        mantissa, exponent = torch.frexp(x)
        assert exponent.dtype is torch.int32 and exponent.tolist() == [0, 0, 0, -132, -148, 4]
        np.testing.assert_array_equal(mantissa.numpy(), np.frexp(x.numpy())[0])
        assert torch.frexp(torch.tensor([5e-324], dtype=torch.float64)).exponent.item() == -1073
        assert torch.frexp(torch.tensor([6e-8], dtype=torch.float16)).exponent.item() == -23

    def test_gradient_and_refusal(self):
        x = torch.tensor([1.0, 3.0, 0.0, math.inf], requires_grad=True)
        torch.frexp(x).mantissa.sum().backward()
        assert x.grad.tolist() == [0.5, 0.25, 1.0, 1.0]
        with pytest.raises(RuntimeError, match=r"^torch.frexp\(\) only supports floating-point dtypes$"):
            torch.frexp(torch.tensor([1]))


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(2))
def test_programs_of_views_and_writes(seed):
    """Random chains of views of a complex tensor, written in place, beside PyTorch."""
    real = pytest.importorskip("torch")
    steps = {
        "conj": lambda t: t.conj() if t.is_complex() else t,
        "real": lambda t: t.real,
        "imag": lambda t: t.imag if t.is_complex() else t,
        "t": lambda t: t.t() if t.dim() == 2 else t,
        "rows": lambda t: t[1:] if t.dim() and t.shape[0] > 1 else t,
        "select": lambda t: t.select(-1, 0) if t.dim() > 1 else t,
        "write": lambda t: t.mul_(1.5),
        "add": lambda t: t.add_(0.25),
    }
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4))
    for _ in range(3):
        names = [str(n) for n in rng.choice(list(steps), 7)]
        shown = []
        for library in (real, torch):
            leaf = library.tensor(data, requires_grad=True)
            base = leaf * 1
            view = base
            for name in names:
                view = steps[name](view)
            (base.abs() ** 2).sum().backward()
            resolved = view.detach().resolve_conj().resolve_neg()
            shown.append(
                (
                    resolved.numpy(),
                    base.detach().numpy(),
                    leaf.grad.resolve_conj().numpy(),
                    view.is_conj(),
                    view.is_neg(),
                )
            )
        for ours, theirs in zip(shown[1], shown[0], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, err_msg=" ".join(names))


def test_complex_numbers_of_halves_are_refused() -> None:
    half = torch.ones(2, 2, dtype=torch.float16)
    for call in (torch.view_as_complex, lambda x: torch.complex(x, x), lambda x: x.dtype.to_complex()):
        with pytest.raises(NotImplementedError, match="complex32"):
            call(half)
