"""Complex numbers: a gradient points where the loss grows fastest, the conjugate of JAX's."""

from __future__ import annotations

from convention import Case, Refusal, slope

CASES = [
    Case("|z|**2", lambda t: slope(t, lambda z: z.abs() ** 2, [1 + 2j], "complex128"), [2 + 4j]),
    Case("real part", lambda t: slope(t, lambda z: z.real, [1 + 2j], "complex128"), [1 + 0j]),
    Case("imaginary part", lambda t: slope(t, lambda z: z.imag, [1 + 2j], "complex128"), [0 + 1j]),
    Case("angle", lambda t: slope(t, lambda z: z.angle(), [3 + 4j], "complex128"), [-0.16 + 0.12j]),
    Case("abs at 0", lambda t: slope(t, lambda z: z.abs(), [0j], "complex128"), [0j]),
    Case("z times a constant", lambda t: slope(t, lambda z: (z * (2 + 3j)).real, [1j], "complex128"), [2 - 3j]),
    Case(
        "a product's second factor",
        lambda t: slope(t, lambda z: (z * z.conj()).real, [1 + 2j], "complex128"),
        [2 + 4j],
    ),
    Case("exp", lambda t: slope(t, lambda z: z.exp().real, [0 + 0j], "complex128"), [1 - 0j]),
    Case(
        "a real input of a complex result has a real gradient",
        lambda t: slope(t, lambda x: (x * (2 + 3j)).imag, [1.0, 2.0]),
        [3.0, 3.0],
    ),
    Case(
        "view_as_real",
        lambda t: slope(t, lambda z: t.view_as_real(z) * t.tensor([2.0, 5.0]).double(), [1 + 1j], "complex128"),
        [2 + 5j],
    ),
]

REFUSALS = [
    Refusal(
        "backward of a complex number",
        lambda t: t.tensor([1 + 2j], requires_grad=True).sum().backward(),
        RuntimeError,
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    ),
]
