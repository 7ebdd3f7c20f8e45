"""The draws of ``_core/random_ops.py`` against real PyTorch, bit for bit, before any Tensor is involved."""

from __future__ import annotations

import functools
import math
import warnings

import jax
import ml_dtypes
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torchish._core import random_ops as draws  # noqa: E402
from torchish._core.generator import Generator  # noqa: E402
from torchish._ops.registry import OPS  # noqa: E402

pytestmark = pytest.mark.oracle
jax.config.update("jax_enable_x64", True)

SIZES = (1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 1000, 4095, 4097, 70001)
SEEDS = (0, 1234, -1, 2**31 + 5, 2**32 + 5, 2**63, 2**64 - 1)
REAL = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.float16: np.float16,
    torch.bfloat16: ml_dtypes.bfloat16,
}
COMPLEX = {torch.complex64: np.complex64, torch.complex128: np.complex128}
INTEGERS = {
    torch.int8: np.int8,
    torch.uint8: np.uint8,
    torch.int16: np.int16,
    torch.int32: np.int32,
    torch.int64: np.int64,
}


def values_of(drawn):
    """The numbers of a draw: a pending one by its op's body, compiled, as a window would."""
    if not isinstance(drawn, draws.Pending):
        return drawn
    operands = [values_of(x) if isinstance(x, draws.Pending) else x for x in drawn.operands]
    return np.asarray(jax.jit(functools.partial(OPS[drawn.op].fn, **drawn.static))(*map(np.asarray, operands)))


def array_of(tensor):
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def assert_same(drawn, tensor):
    got, want = values_of(drawn), array_of(tensor)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    got, want = (np.ascontiguousarray(x) for x in (got, want))
    # By their bits: -0 is not 0. NaN appears nowhere.
    bits = [x.reshape(-1).view(np.uint8) for x in (got, want)]
    differing = int((got != want).sum())
    assert differing == 0, f"{differing} of {want.size} differ"
    assert np.array_equal(*bits), "a zero has the other sign"


def pair(seed):
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same_state(ours, theirs):
    assert np.array_equal(ours.state_bytes(), theirs.get_state().numpy())


@pytest.mark.parametrize("eager", (False, True))
@pytest.mark.parametrize("dtype", (*REAL, *COMPLEX), ids=str)
def test_rand_and_randn_of_every_size_and_dtype(dtype, eager):
    np_dtype = {**REAL, **COMPLEX}[dtype]
    ours, theirs = pair(3)
    for n in SIZES:
        assert_same(draws.draw_uniform(ours, (n,), np_dtype, eager=eager), torch.rand(n, dtype=dtype, generator=theirs))
        want = torch.randn(n, dtype=dtype, generator=theirs)
        assert_same(draws.draw_normal(ours, (n,), np_dtype, eager=eager), want)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds(seed):
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    for n in (3, 40, 5000):
        assert_same(draws.draw_uniform(ours, (n,), np.float32), torch.rand(n, generator=theirs))
        assert_same(draws.draw_normal(ours, (n,), np.float32), torch.randn(n, generator=theirs))
        assert_same(draws.draw_normal(ours, (n,), np.float64), torch.randn(n, dtype=torch.float64, generator=theirs))
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("eager", (False, True))
@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("bounds", ((-0.3, 2.5), (1.0, 1.0000002), (-1e-3, 1e3), (0.0, 1e-3), (5.0, 5.0)))
def test_uniform_bounds(dtype, bounds, eager):
    ours, theirs = pair(5)
    for n in (1, 50, 3000, 20000):
        want = torch.empty(n, dtype=dtype).uniform_(*bounds, generator=theirs)
        assert_same(draws.draw_uniform(ours, (n,), REAL[dtype], *bounds, eager=eager), want)


@pytest.mark.parametrize("eager", (False, True))
@pytest.mark.parametrize("dtype", (*REAL, *COMPLEX), ids=str)
@pytest.mark.parametrize("mean, std", ((1.5, 0.3), (-2.0, 5.0), (0.0, 0.02), (1e3, 1e-2), (0.3, 0.0)))
def test_normal_mean_and_std(dtype, mean, std, eager):
    ours, theirs = pair(6)
    for n in (1, 9, 15, 16, 100, 3001, 20000):
        want = torch.empty(n, dtype=dtype).normal_(mean, std, generator=theirs)
        assert_same(draws.draw_normal(ours, (n,), {**REAL, **COMPLEX}[dtype], mean, std, eager=eager), want)


def test_a_million_normals_of_each_precision():
    ours, theirs = pair(11)
    assert_same(draws.draw_normal(ours, (1000, 1003), np.float32), torch.randn(1000, 1003, generator=theirs))
    want = torch.randn(1000, 301, dtype=torch.float64, generator=theirs)
    assert_same(draws.draw_normal(ours, (1000, 301), np.float64), want)


LAYOUTS = {
    "transposed": lambda d: torch.empty(8, 4, dtype=d).t(),
    "large transposed": lambda d: torch.empty(80, 70, dtype=d).t(),
    "permuted": lambda d: torch.empty(4, 5, 6, dtype=d).permute(2, 0, 1),
    "channels last": lambda d: torch.empty(2, 3, 5, 7, dtype=d).to(memory_format=torch.channels_last),
    "strided": lambda d: torch.empty(9, 8, dtype=d)[:, ::2],
    "size one": lambda d: torch.empty(5, 1, 7, dtype=d).transpose(1, 2),
}
FILLS = {
    "uniform": (lambda t, g: t.uniform_(-1, 2, generator=g), lambda *a, **k: draws.draw_uniform(*a, -1.0, 2.0, **k)),
    "unit": (lambda t, g: t.uniform_(generator=g), draws.draw_uniform),
    "normal": (lambda t, g: t.normal_(0.5, 2, generator=g), lambda *a, **k: draws.draw_normal(*a, 0.5, 2.0, **k)),
    "integers": (lambda t, g: t.random_(3, 90, generator=g), lambda *a, **k: draws.draw_integers(*a, 3, 90, **k)),
    "bernoulli": (lambda t, g: t.bernoulli_(0.3, generator=g), lambda *a, **k: draws.draw_bernoulli(*a, 0.3, **k)),
    "exponential": (lambda t, g: t.exponential_(2, generator=g), lambda *a, **k: draws.draw_exponential(*a, 2.0, **k)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "fill, dtype",
    (
        *((fill, dtype) for fill in FILLS for dtype in (torch.float32, torch.float64)),
        *((fill, torch.complex64) for fill in ("unit", "normal")),
    ),
    ids=str,
)
def test_memory_order(layout, fill, dtype):
    ours, theirs = pair(8)
    tensor = LAYOUTS[layout](dtype)
    fill_tensor, draw = FILLS[fill]
    drawn = draw(ours, tuple(tensor.shape), {**REAL, **COMPLEX}[dtype], strides=tensor.stride())
    assert_same(drawn, fill_tensor(tensor, theirs))
    assert_same_state(ours, theirs)


@pytest.mark.parametrize(
    "low, high", ((0, 10), (-5, 2**30), (0, 2**28 - 1), (0, 2**28), (-(2**62), 2**62), (-(2**63), 2**63 - 1))
)
@pytest.mark.parametrize("n", (9, 5000))
def test_integers(low, high, n):
    ours, theirs = pair(9)
    assert_same(draws.draw_integers(ours, (n,), np.int64, low, high), torch.randint(low, high, (n,), generator=theirs))
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("dtype", (*INTEGERS, *REAL, torch.bool, torch.uint16, torch.uint32, torch.uint64), ids=str)
@pytest.mark.parametrize("n", (9, 5000))
def test_integers_of_other_dtypes(dtype, n):
    np_dtype = {**INTEGERS, **REAL, torch.bool: np.bool_, torch.uint16: np.uint16, torch.uint32: np.uint32}.get(
        dtype, np.uint64
    )
    high = 2 if dtype == torch.bool else 100
    ours, theirs = pair(10)
    want = torch.randint(0, high, (n,), dtype=dtype, generator=theirs)
    assert_same(draws.draw_integers(ours, (n,), np_dtype, 0, high), want)
    if dtype in (torch.uint16, torch.uint32, torch.uint64):
        with pytest.raises(NotImplementedError):
            draws.draw_random(ours, (n,), np_dtype)
        return
    assert_same(draws.draw_random(ours, (n,), np_dtype), torch.empty(n, dtype=dtype).random_(generator=theirs))
    want = torch.empty(n, dtype=dtype).random_(1, None, generator=theirs)
    assert_same(draws.draw_integers_from(ours, (n,), np_dtype, 1), want)
    assert_same_state(ours, theirs)


def test_the_whole_range_of_int64():
    ours, theirs = pair(10)
    for n in (9, 5000):
        want = torch.empty(n, dtype=torch.int64).random_(-(2**63), None, generator=theirs)
        assert_same(draws.draw_integers_from(ours, (n,), np.int64, -(2**63)), want)


@pytest.mark.parametrize(
    "low, high", ((0, 2**25), (2**24 + 1, 2**24 + 9), (-(2**26) - 3, 2**26 + 3), (2**25 + 1, 2**25 + 70))
)
def test_integers_that_float32_cannot_hold(low, high):
    ours, theirs = pair(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = torch.empty(100).random_(low, high, generator=theirs)
        got = draws.draw_integers(ours, (100,), np.float32, low, high)
    assert_same(got, want)


@pytest.mark.parametrize("n", (0, 1, 2, 10, 1000, 30000))
def test_permutation(n):
    ours, theirs = pair(12)
    assert_same(draws.draw_permutation(ours, n, np.int64), torch.randperm(n, generator=theirs))
    if n <= 1000:
        want = torch.randperm(n, dtype=torch.float32, generator=theirs)
        assert_same(draws.draw_permutation(ours, n, np.float32), want)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("dtype", (*REAL, torch.int64, torch.bool), ids=str)
@pytest.mark.parametrize("p", (0.0, 0.3, 0.5, 1.0))
def test_bernoulli_with_a_number(dtype, p):
    np_dtype = {**REAL, torch.int64: np.int64, torch.bool: np.bool_}[dtype]
    ours, theirs = pair(13)
    for n in (5, 50, 20000):
        want = torch.empty(n, dtype=dtype).bernoulli_(p, generator=theirs)
        assert_same(draws.draw_bernoulli(ours, (n,), np_dtype, p), want)


@pytest.mark.parametrize("p_dtype", REAL, ids=str)
@pytest.mark.parametrize("dtype", (*REAL, torch.int64), ids=str)
def test_bernoulli_with_a_tensor(dtype, p_dtype):
    np_dtype = {**REAL, torch.int64: np.int64}[dtype]
    ours, theirs = pair(14)
    for n in (5, 50, 20000):
        p = torch.rand(n, dtype=p_dtype, generator=torch.Generator().manual_seed(1))
        want = torch.empty(n, dtype=dtype).bernoulli_(p, generator=theirs)
        assert_same(draws.draw_bernoulli_tensor(ours, (n,), np_dtype, array_of(p), REAL[p_dtype]), want)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("p", (0.1, 0.4, 0.5, 0.9))
def test_dropout_mask(dtype, p):
    for n in (50, 20000):
        torch.manual_seed(15)
        want = torch.nn.functional.dropout(torch.ones(n, dtype=dtype), p)
        assert_same(draws.draw_dropout_mask(Generator().manual_seed(15), (n,), REAL[dtype], p), want)


LIBM = {
    "exponential": (lambda t, g: t.exponential_(1.5, generator=g), lambda *a: draws.draw_exponential(*a, 1.5)),
    "exponential 1": (lambda t, g: t.exponential_(generator=g), draws.draw_exponential),
    "geometric": (lambda t, g: t.geometric_(0.2, generator=g), lambda *a: draws.draw_geometric(*a, 0.2)),
    "geometric rare": (lambda t, g: t.geometric_(1e-3, generator=g), lambda *a: draws.draw_geometric(*a, 1e-3)),
    "cauchy": (lambda t, g: t.cauchy_(generator=g), draws.draw_cauchy),
    "cauchy moved": (lambda t, g: t.cauchy_(1.3, 0.7, generator=g), lambda *a: draws.draw_cauchy(*a, 1.3, 0.7)),
    "log normal": (lambda t, g: t.log_normal_(generator=g), draws.draw_log_normal),
    "log normal moved": (
        lambda t, g: t.log_normal_(0.3, 0.7, generator=g),
        lambda *a: draws.draw_log_normal(*a, 0.3, 0.7),
    ),
}


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("name", LIBM)
def test_distributions_by_libm(name, dtype):
    fill, draw = LIBM[name]
    ours, theirs = pair(16)
    for n in (1, 20, 100, 50001):
        with np.errstate(over="ignore"):
            drawn = draw(ours, (n,), REAL[dtype])
        assert_same(drawn, fill(torch.empty(n, dtype=dtype), theirs))
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_geometric_of_integers(dtype):
    ours, theirs = pair(16)
    want = torch.empty(20000, dtype=dtype).geometric_(0.3, generator=theirs)
    assert_same(draws.draw_geometric(ours, (20000,), INTEGERS[dtype], 0.3), want)


@pytest.mark.parametrize("rows", ((), (7,)))
@pytest.mark.parametrize(
    "k, replacement, dtype",
    (
        *((k, replacement, dtype) for k, replacement in ((1, False), (1, True), (30, True)) for dtype in REAL),
        # Half precision has ties here, whose order PyTorch does not promise.
        *((5, False, dtype) for dtype in (torch.float32, torch.float64)),
    ),
    ids=str,
)
def test_multinomial(dtype, rows, k, replacement):
    ours, theirs = pair(17)
    for categories in (5, 60, 3000):
        p = torch.rand(*rows, categories, dtype=dtype, generator=torch.Generator().manual_seed(2))
        want = torch.multinomial(p, k, replacement, generator=theirs)
        drawn = draws.draw_multinomial(ours, array_of(p), p.shape, REAL[dtype], k, replacement)
        assert_same(drawn, want)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("n", (5, 20, 10000))
def test_normal_of_tensors(dtype, n):
    ours, theirs = pair(18)
    mean, std = torch.linspace(-1, 1, n, dtype=dtype), torch.linspace(0.1, 2, n, dtype=dtype)
    m, s = array_of(mean), array_of(std)
    assert_same(draws.draw_normal_like(ours, (n,), REAL[dtype], m, s), torch.normal(mean, std, generator=theirs))
    assert_same(draws.draw_normal_like(ours, (n,), REAL[dtype], m, 0.3), torch.normal(mean, 0.3, generator=theirs))
    assert_same(draws.draw_normal_like(ours, (n,), REAL[dtype], 0.7, s), torch.normal(0.7, std, generator=theirs))


def test_normal_of_complex_means():
    ours, theirs = pair(18)
    mean, std = torch.linspace(-1, 1, 5000) * (1 + 2j), torch.linspace(0.1, 2, 5000)
    drawn = draws.draw_normal_like(ours, (5000,), np.complex64, array_of(mean), array_of(std))
    assert_same(drawn, torch.normal(mean, std, generator=theirs))


def test_the_cached_normal_is_shared_and_survives():
    ours, theirs = pair(19)
    steps = ((3, np.float32), (40, np.float32), (2, np.float64), (1, np.float16), (5, np.float64), (1, np.float32))
    of_torch = {np.dtype(v): k for k, v in REAL.items()}
    for n, dtype in steps:
        want = torch.randn(n, dtype=of_torch[np.dtype(dtype)], generator=theirs)
        assert_same(draws.draw_normal(ours, (n,), dtype), want)
        assert_same_state(ours, theirs)
    for g in (ours, theirs):
        g.manual_seed(1)
    assert_same(draws.draw_normal(ours, (1,), np.float32), torch.randn(1, generator=theirs))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", (0, 1, 623, 624, 625, 2000))
def test_state_travels_both_ways(seed, drawn):
    ours, theirs = pair(seed)
    ours.words32(drawn)
    torch.rand(drawn, generator=theirs)
    assert_same_state(ours, theirs)
    there, here = torch.Generator(), Generator()
    there.set_state(torch.from_numpy(ours.state_bytes()))
    here.set_state_bytes(theirs.get_state().numpy())
    assert_same_state(here, there)
    assert_same(draws.draw_normal(here, (700,), np.float32), torch.randn(700, generator=there))


ERRORS = {
    "uniform order": (lambda t: t.uniform_(2, 1), lambda *a: draws.draw_uniform(*a, 2.0, 1.0)),
    "uniform nan": (lambda t: t.uniform_(math.nan, 1), lambda *a: draws.draw_uniform(*a, math.nan, 1.0)),
    "uniform inf": (lambda t: t.uniform_(0, math.inf), lambda *a: draws.draw_uniform(*a, 0.0, math.inf)),
    "uniform wide": (lambda t: t.uniform_(-3e38, 3e38), lambda *a: draws.draw_uniform(*a, -3e38, 3e38)),
    "normal": (lambda t: t.normal_(0, -1), lambda *a: draws.draw_normal(*a, 0.0, -1.0)),
    "exponential": (lambda t: t.exponential_(-1.5), lambda *a: draws.draw_exponential(*a, -1.5)),
    "geometric": (lambda t: t.geometric_(1), lambda *a: draws.draw_geometric(*a, 1.0)),
    "cauchy": (lambda t: t.cauchy_(0, -1), lambda *a: draws.draw_cauchy(*a, 0.0, -1.0)),
    "log normal": (lambda t: t.log_normal_(0, 0), lambda *a: draws.draw_log_normal(*a, 0.0, 0.0)),
    "bernoulli": (lambda t: t.bernoulli_(1.5), lambda *a: draws.draw_bernoulli(*a, 1.5)),
    "integers order": (lambda t: t.random_(5, 5), lambda *a: draws.draw_integers(*a, 5, 5)),
    "integers from": (lambda t: t.random_(-500, 5), lambda *a: draws.draw_integers(*a, -500, 5)),
    "integers to": (lambda t: t.random_(0, 100000), lambda *a: draws.draw_integers(*a, 0, 100000)),
    "integers that round to nothing": (
        lambda t: t.random_(2**25 + 1, 2**25 + 7),
        lambda *a: draws.draw_integers(*a, 2**25 + 1, 2**25 + 7),
    ),
    "integers from the last": (lambda t: t.random_(2**24, None), lambda *a: draws.draw_integers_from(*a, 2**24)),
    "random": (lambda t: t.random_(), draws.draw_random),
    "permutation": (lambda t: torch.randperm(-1), lambda g, s, d: draws.draw_permutation(g, -1, d)),
    "long permutation": (
        lambda t: torch.randperm(3000, dtype=t.dtype),
        lambda g, s, d: draws.draw_permutation(g, 3000, d),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("dtype", (torch.float32, torch.float16, torch.int64, torch.int8, torch.complex64), ids=str)
def test_errors(name, dtype):
    fill, draw = ERRORS[name]
    np_dtype = {**REAL, **INTEGERS, **COMPLEX}[dtype]

    def outcome(call):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                call()
            except Exception as error:
                return type(error), str(error)
        return None

    want = outcome(lambda: fill(torch.empty(3, dtype=dtype)))
    assert outcome(lambda: draw(Generator(), (3,), np_dtype)) == want
