"""The generator and its draws against numbers recorded from PyTorch 2.13, and what is promised of any generator.

Checksums are CRC-32 of the values' bytes. Double precision through libm (its exp, log and cosine) may end in another
bit on another C library, as PyTorch's own does, so those numbers are left to ``test_rng_oracle.py``.
"""

from __future__ import annotations

import copy
import functools
import pickle
import threading
import zlib

import jax
import ml_dtypes
import numpy as np
import pytest

from torchish._core import random_ops as draws
from torchish._core.generator import DEFAULT_SEED, Generator, default_generator
from torchish._ops.registry import OPS

jax.config.update("jax_enable_x64", True)

DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
DRAWS = {
    "rand": draws.draw_uniform,
    "uniform": functools.partial(draws.draw_uniform, low=-0.3, high=2.5),
    "randn": draws.draw_normal,
    "normal": functools.partial(draws.draw_normal, mean=1.5, std=0.3),
    "exponential": functools.partial(draws.draw_exponential, rate=1.5),
    "geometric": functools.partial(draws.draw_geometric, p=0.2),
    "cauchy": functools.partial(draws.draw_cauchy, median=1.3, sigma=0.7),
    "log_normal": functools.partial(draws.draw_log_normal, mean=0.3, std=0.7),
    "bernoulli": functools.partial(draws.draw_bernoulli, p=0.3),
    "random": draws.draw_random,
}
# (draw, dtype): the checksums of 5, 50 and 5003 numbers, each from seed 2024.
CHECKSUMS = {
    ("rand", "float32"): (2155108201, 3388555515, 3653454910),
    ("rand", "float64"): (1297718308, 757739602, 2117140278),
    ("rand", "float16"): (3196156564, 3193605998, 3309564035),
    ("rand", "bfloat16"): (3754060599, 1044319627, 1243050027),
    ("uniform", "float32"): (4185814692, 3273041606, 2325802765),
    ("uniform", "float64"): (2126570199, 2247498049, 2860980490),
    ("uniform", "float16"): (1764656177, 3425648283, 2023821230),
    ("uniform", "bfloat16"): (3138479741, 477816862, 1712821061),
    ("randn", "float32"): (1976240439, 3620347842, 771064783),
    ("randn", "float16"): (2472913157, 661209524, 419153072),
    ("randn", "bfloat16"): (4091395815, 1720498860, 2491099908),
    ("normal", "float32"): (3599662894, 2731580628, 4271287735),
    ("normal", "float16"): (3843831910, 851154470, 2726859396),
    ("normal", "bfloat16"): (2035399645, 4038052221, 1837398568),
    ("exponential", "float32"): (1883041111, 1506214425, 1553758539),
    ("exponential", "float16"): (2741475655, 2887079260, 1033108004),
    ("exponential", "bfloat16"): (2860393603, 959958287, 1173706695),
    ("geometric", "float32"): (73573866, 1010277752, 602646441),
    ("geometric", "float64"): (3486930917, 2555162176, 1050145603),
    ("geometric", "float16"): (3532936639, 2849076711, 1675801694),
    ("geometric", "bfloat16"): (4066468456, 4122599342, 491746317),
    ("cauchy", "float32"): (376717162, 3728675373, 1807235516),
    ("cauchy", "float16"): (2200789879, 3046838427, 2809256359),
    ("cauchy", "bfloat16"): (2396143883, 3133459508, 1062279019),
    ("log_normal", "float32"): (907311995, 3234148926, 3089755340),
    ("log_normal", "float16"): (1690457581, 2951492331, 3681674830),
    ("log_normal", "bfloat16"): (2955174557, 2108399843, 1478574985),
    ("bernoulli", "float32"): (1590617438, 3508458961, 117624013),
    ("bernoulli", "float64"): (3124480790, 3894776975, 4159213913),
    ("bernoulli", "float16"): (730815408, 4243944461, 2836951526),
    ("bernoulli", "bfloat16"): (4094127732, 321777938, 1097002797),
    ("random", "float32"): (1252800077, 2720152324, 2562035560),
    ("random", "float64"): (2946610367, 3091858304, 2534409888),
    ("random", "float16"): (3075183414, 888746437, 134692652),
    ("random", "bfloat16"): (2072068920, 1955847389, 3979020649),
}


def values_of(drawn):
    if not isinstance(drawn, draws.Pending):
        return drawn
    operands = [values_of(x) if isinstance(x, draws.Pending) else x for x in drawn.operands]
    return np.asarray(jax.jit(functools.partial(OPS[drawn.op].fn, **drawn.static))(*map(np.asarray, operands)))


def checksum(values):
    return zlib.crc32(np.ascontiguousarray(values).tobytes())


def seeded(seed):
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("name, dtype", CHECKSUMS)
def test_recorded_checksums(name, dtype):
    got = tuple(checksum(values_of(DRAWS[name](seeded(2024), (n,), DTYPES[dtype]))) for n in (5, 50, 5003))
    assert got == CHECKSUMS[name, dtype]


def test_recorded_numbers():
    f32, i64 = np.float32, np.int64
    expected = [0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688]
    assert draws.draw_uniform(seeded(0), (4,), f32).tolist() == expected
    expected = [1.5409960746765137, -0.293428897857666, -2.1787893772125244]
    assert draws.draw_normal(seeded(0), (3,), f32).tolist() == expected
    expected = [-1.1258398294448853, -1.152360200881958, -0.2505785822868347]
    assert draws.draw_normal(seeded(0), (16,), f32)[:3].tolist() == expected
    assert draws.draw_integers(seeded(0), (8,), i64, 0, 10).tolist() == [4, 9, 3, 0, 3, 9, 7, 3]
    assert draws.draw_integers(seeded(0), (3,), i64, -5, 2**30).tolist() == [500684172, 173853861, 226251419]
    assert draws.draw_integers(seeded(0), (3,), i64, 0, 2**40).tolist() == [741280623151, 506137267392, 291447657211]
    assert draws.draw_permutation(seeded(0), 8, i64).tolist() == [4, 0, 7, 3, 2, 5, 1, 6]
    kept = 1.6666666269302368
    mask = draws.draw_dropout_mask(seeded(0), (12,), f32, 0.4)
    assert mask.tolist() == [0, 0, kept, 0, 0, 0, *[kept] * 6]


def test_recorded_numbers_of_tensor_parameters():
    p = np.full(12, 0.7, np.float32)
    drawn = draws.draw_bernoulli_tensor(seeded(0), (12,), np.float32, p, p.dtype)
    assert values_of(drawn).tolist() == [1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1]
    p = np.array([0.1, 0.5, 0.2, 0.2], np.float32)
    assert values_of(draws.draw_multinomial(seeded(0), p, p.shape, p.dtype, 3)).tolist() == [1, 2, 3]
    drawn = draws.draw_multinomial(seeded(0), p, p.shape, p.dtype, 12, True)
    assert values_of(drawn).tolist() == [3, 2, 1, 3, 2, 2, 1, 1, 1, 1, 1, 1]
    steps = np.arange(50, dtype=np.float32)
    drawn = draws.draw_normal_like(seeded(1), (50,), np.float32, steps / np.float32(7), steps / np.float32(3))
    assert checksum(values_of(drawn)) == 122473818


def test_recorded_complex_numbers():
    assert checksum(draws.draw_normal(seeded(1), (20,), np.complex64)) == 1105095954
    assert checksum(draws.draw_uniform(seeded(1), (20,), np.complex64)) == 1578562877


def test_a_transposed_tensor_is_filled_in_memory_order():
    expected = [
        [1.5409960746765137, -2.1787893772125244, -1.0845223665237427],
        [-0.293428897857666, 0.5684312582015991, -1.3985954523086548],
    ]
    assert draws.draw_normal(seeded(0), (2, 3), np.float32, strides=(1, 2)).tolist() == expected


def test_the_cached_normal_survives_a_larger_draw():
    g = seeded(0)
    draws.draw_normal(g, (3,), np.float32)
    assert checksum(draws.draw_normal(g, (40,), np.float32)) == 231224292
    assert draws.draw_normal(g, (2,), np.float32).tolist() == [0.5684312582015991, 0.1919950693845749]


@pytest.mark.parametrize(
    "seed, expected",
    (
        (-1, [0.9937993884086609, 0.5713063478469849]),
        (2**32 + 5, [0.8302518725395203, 0.12611091136932373]),
        (2**63, [0.49625658988952637, 0.7682217955589294]),
        (2**31 + 5, [0.8627038598060608, 0.9956874251365662]),
    ),
)
def test_negative_and_large_seeds(seed, expected):
    g = seeded(seed)
    assert draws.draw_uniform(g, (2,), np.float32).tolist() == expected
    assert g.initial_seed() == seed % 2**64


def test_seeds_that_are_none():
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got float"):
        Generator().manual_seed(3.7)
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got bool"):
        Generator().manual_seed(True)
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow when unpacking long long"):
            Generator().manual_seed(seed)


def test_the_default_seed_and_a_fresh_one():
    assert Generator().initial_seed() == DEFAULT_SEED
    assert isinstance(default_generator, Generator)
    g = Generator()
    seed = g.seed()
    assert g.initial_seed() == seed != DEFAULT_SEED
    assert np.array_equal(g.words32(5), seeded(seed).words32(5))


def test_recorded_state():
    assert checksum(seeded(7).state_bytes()) == 2460441901
    g = seeded(7)
    draws.draw_normal(g, (3,), np.float32)
    assert g.state_bytes().shape == (5056,)


@pytest.mark.parametrize("words", (0, 1, 624, 625, 3000))
def test_a_state_brings_back_the_numbers(words):
    g = seeded(3)
    g.words32(words)
    draws.draw_normal(g, (3,), np.float32)
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone_state()):
        expected = draws.draw_normal(copy.deepcopy(g), (5,), np.float32)
        assert np.array_equal(draws.draw_normal(other, (5,), np.float32), expected)
        assert other.initial_seed() == 3


def test_states_that_are_none():
    g = Generator()
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        g.set_state_bytes(np.zeros(5056))
    with pytest.raises(RuntimeError, match="size 5056 but found the input RNG state size to be 5"):
        g.set_state_bytes(np.zeros(5, np.uint8))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        g.set_state_bytes(np.zeros(5056, np.uint8))


@pytest.mark.parametrize("n", (1, 5, 192, 193, 1000))
def test_words_are_one_stream(n):
    words = seeded(5).words32(2 * n).astype(np.uint64)
    g = seeded(5)
    assert g.word_list(n) == words[:n].tolist()
    assert np.array_equal(g.words32(n), words[n:])
    pairs = seeded(5).words64(n)
    assert np.array_equal(pairs, (words[::2] << np.uint64(32)) | words[1::2])


def test_threads_share_a_stream_without_losing_words():
    g, drawn = seeded(6), []

    def work():
        for _ in range(200):
            drawn.extend(g.words32(7).tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(drawn) == sorted(seeded(6).words32(4 * 200 * 7).tolist())


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_small_eager_and_pending_draws_agree(dtype, monkeypatch):
    def both(size):
        normal = draws.draw_normal(seeded(9), (size,), dtype, 0.3, 1.7)
        return normal, draws.draw_uniform(seeded(9), (size,), dtype, -0.7, 0.9)

    for chunks in (draws._uniform_chunks, draws._normal_chunks):
        monkeypatch.setattr(chunks, "cold_calls", 1)
    by_numpy, by_program = both(3999), both(3999)
    monkeypatch.setattr(draws, "_HOST", 1)
    for values in (by_program, [values_of(x) for x in both(3999)]):
        assert all(np.array_equal(a, b) for a, b in zip(by_numpy, values, strict=True))


def test_draws_are_concrete_under_a_trace():
    def f(x):
        return x + draws.draw_normal(seeded(1), (9000,), np.float32, eager=True)

    assert np.array_equal(jax.jit(f)(np.float32(0)), draws.draw_normal(seeded(1), (9000,), np.float32, eager=True))


DEVICE_DRAWS = {
    "uniform": (lambda g, s: draws.draw_uniform(g, s, np.float32, 2.0, 4.0), 3.0, 1 / 3),
    "normal": (lambda g, s: draws.draw_normal(g, s, np.float32, 1.0, 2.0), 1.0, 4.0),
    "normal float64": (lambda g, s: draws.draw_normal(g, s, np.float64, 1.0, 2.0), 1.0, 4.0),
    "normal bfloat16": (lambda g, s: draws.draw_normal(g, s, ml_dtypes.bfloat16), 0.0, 1.0),
    "normal complex": (lambda g, s: draws.draw_normal(g, s, np.complex64), 0.0, 1.0),
    "integers": (lambda g, s: draws.draw_integers(g, s, np.int64, -5, 5), -0.5, 99 / 12),
    "bernoulli": (lambda g, s: draws.draw_bernoulli(g, s, np.float32, 0.3), 0.3, 0.21),
    "dropout": (lambda g, s: draws.draw_dropout_mask(g, s, np.float32, 0.5), 1.0, 1.0),
    "exponential": (lambda g, s: draws.draw_exponential(g, s, np.float32, 2.0), 0.5, 0.25),
    "geometric": (lambda g, s: draws.draw_geometric(g, s, np.int64, 0.4), 2.5, 3.75),
    "permutation": (lambda g, s: draws.draw_permutation(g, s[0], np.int64), 9999.5, (20000**2 - 1) / 12),
}


@pytest.mark.parametrize("name", DEVICE_DRAWS)
def test_an_accelerator_draws_from_a_counter(name):
    draw, mean, variance = DEVICE_DRAWS[name]
    g = Generator("cuda").manual_seed(4)
    first, second = draw(g, (20000,)), draw(g, (20000,))
    assert first.op == second.op and first.static == second.static
    a, b, again = (values_of(d) for d in (first, second, draw(Generator("cuda").manual_seed(4), (20000,))))
    assert np.array_equal(a, again) and not np.array_equal(a, b)
    wide = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    assert abs(wide.mean() - mean) < 5 * (variance / 20000) ** 0.5 + 1e-9
    assert wide.var() == pytest.approx(variance, rel=0.1)


def test_an_accelerators_draws_do_not_recompile():
    g = Generator("cuda").manual_seed(-1)
    drawn = [draws.draw_normal(g, (8,), np.float32, 0.0, std) for std in (1.0, 2.0, 3.0)]
    fn = jax.jit(functools.partial(OPS[drawn[0].op].fn, **drawn[0].static))
    assert len({fn(*d.operands).tobytes() for d in drawn}) == 3
    assert fn._cache_size() == 1


def test_an_accelerators_state():
    g = Generator("cuda:0").manual_seed(2**64 - 1)
    g.device_counter()
    other = Generator("cuda:0")
    other.set_state_bytes(g.state_bytes())
    assert (other.initial_seed(), other.get_offset()) == (2**64 - 1, 1)
    assert other.device_counter() == g.device_counter() == (-1, 1)
    with pytest.raises(RuntimeError, match="CPU Generator does not use offset"):
        Generator().get_offset()
