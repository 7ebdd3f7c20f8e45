"""Functions of one array: PyTorch's values, dtypes, slopes at singular points, and error texts."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradient, i64, second_derivative

from torchish._ops.elementwise import unary
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


def near(actual, expected, rtol=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=rtol, atol=1e-7)


class TestSlopesAtSingularPoints:
    @pytest.mark.parametrize(
        ("name", "x", "slope"),
        [
            ("abs", 0, 0),
            ("abs", -2, -1),
            ("abs", NAN, 0),
            ("sqrt", 0, INF),
            ("rsqrt", -0.0, INF),
            ("log", 0, INF),
            ("log2", 0, INF),
            ("reciprocal", 0, -INF),
            ("sinc", 0, 0),
            ("asin", 1, INF),
            ("acosh", 1, INF),
            ("erfinv", 1, INF),
            ("logit", 0, INF),
            ("logit", -1, NAN),
            ("lgamma", 0, -INF),
            ("digamma", INF, 0),
            ("frac", 2, 1),
            ("angle", -1, 0),
            ("sgn", 0, 0),
            ("nan_to_num", INF, 0),
            ("nan_to_num", 1, 1),
        ],
    )
    def test_slope(self, name, x, slope):
        same(gradient(OPS[name].fn, f32(x)), [slope])

    @pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc", "sign"])
    def test_steps_are_flat(self, name):
        assert gradient(OPS[name].fn, f32(-1.5, 0, 2)) == [0, 0, 0]

    def test_complex_modulus_angle_and_sign_are_flat_at_zero(self):
        zero = jnp.zeros(1, jnp.complex64)
        for fn in (unary.abs, unary.sgn, unary.angle):
            assert gradient(fn, zero) == [0]

    def test_complex_modulus_of_tiny_numbers_has_a_finite_second_derivative(self):
        z = jnp.array([1e-30 + 1e-30j], jnp.complex64)
        assert np.isfinite(np.asarray(second_derivative(unary.abs, z.real))).all()
        step = lambda z: jax.vjp(unary.abs, z)[1](jnp.ones(1, jnp.float32))[0]  # noqa: E731
        assert np.isfinite(np.abs(np.asarray(jax.jit(lambda z: jax.vjp(step, z)[1](z / z)[0])(z)))).all()


class TestLogarithmsAndPowers:
    def test_log2_is_exact_at_powers_of_two(self):
        exponents = np.arange(-30, 31)
        for dtype in (np.float32, np.float64):
            same(jax.jit(unary.log2)(jnp.asarray(2.0**exponents, dtype)), exponents.astype(dtype))
        same(unary.log2(f32(0, INF, -1, NAN)), [-INF, INF, NAN, NAN])
        near(unary.log2(f32(1.0000001, 3, 0.1)), np.log2(np.float32([1.0000001, 3, 0.1])))

    def test_derivatives_of_the_logarithms(self):
        near(gradient(unary.log2, f32(2)), [0.5 / np.log(2)])
        near(second_derivative(unary.log2, f32(2)), [-0.25 / np.log(2)])
        near(gradient(unary.log10, f32(2)), [0.5 / np.log(10)])

    def test_square_of_bools_is_int64(self):
        out = unary.square(jnp.array([True, False]))
        assert out.dtype == np.int64
        same(out, [1, 0])
        assert second_derivative(unary.square, f32(3)) == [2]


class TestGammaFunction:
    def test_digamma_at_its_poles(self):
        same(unary.digamma(f32(0.0, -0.0, -1)), [-INF, INF, NAN])

    def test_lgamma_is_infinite_at_its_poles(self):
        same(unary.lgamma(f32(0, -1, INF)), [INF, INF, INF])

    def test_derivatives_left_of_zero(self):
        near(gradient(unary.lgamma, f32(-1.5)), [0.7031566], 1e-4)
        near(gradient(unary.digamma, f32(-1.5, -3.3)), [9.379247, 14.817745], 1e-4)
        near(second_derivative(unary.lgamma, f32(-1.5)), [9.379247], 1e-4)


class TestSigns:
    def test_bools_are_not_negated(self):
        with pytest.raises(RuntimeError, match="Negation, the `-` operator, on a bool tensor is not supported"):
            unary.neg(jnp.array([True]))
        with pytest.raises(RuntimeError, match=r"The `\+` operator, on a bool tensor is not supported"):
            unary.positive(jnp.array([True]))

    def test_unsigned_negation_wraps(self):
        same(unary.neg(jnp.array([1, 0], jnp.uint8)), [255, 0])

    def test_sign_of_nan_is_zero_and_of_a_bool_itself(self):
        same(unary.sign(f32(NAN, -0.0, -3, INF)), [0, 0, -1, 1])
        same(unary.sign(jnp.array([True, False])), [True, False])
        same(unary.sign(jnp.array([0, 7], jnp.uint8)), [0, 1])

    def test_sign_refuses_complex_and_sgn_normalises_it(self):
        z = jnp.array([0, 3 + 4j], jnp.complex64)
        with pytest.raises(NotImplementedError, match=r"Please use torch\.sgn instead"):
            unary.sign(z)
        near(unary.sgn(z), [0, 0.6 + 0.8j])

    def test_abs_of_complex_is_real(self):
        out = unary.abs(jnp.array([3 + 4j], jnp.complex64))
        assert out.dtype == np.float32
        same(out, [5])
        with pytest.raises(NotImplementedError, match="\"abs_cpu\" not implemented for 'Bool'"):
            unary.abs(jnp.array([True]))

    def test_angle(self):
        near(unary.angle(f32(-1, 0, -0.0, 2)), [np.pi, 0, 0, 0])
        near(unary.angle(jnp.array([1j, -1], jnp.complex64)), [np.pi / 2, np.pi])


class TestRounding:
    def test_halves_go_to_even(self):
        same(unary.round(f32(0.5, 1.5, 2.5, -0.5)), [0, 2, 2, -0.0])

    def test_decimals(self):
        near(unary.round(f32(1.25, 2.36), decimals=1), [1.2, 2.4])
        near(unary.round(f32(1250, 1350), decimals=-2), [1200, 1400])

    @pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc"])
    def test_integers_stay_and_bools_are_refused(self, name):
        same(OPS[name].fn(i64(3, -3)), [3, -3])
        with pytest.raises(NotImplementedError, match=f"\"{name}_vml_cpu\" not implemented for 'Bool'"):
            OPS[name].fn(jnp.array([True]))

    def test_complex_is_refused(self):
        with pytest.raises(NotImplementedError, match=r"^floor is not supported for complex inputs$"):
            unary.floor(jnp.array([1j]))

    def test_frac_keeps_the_sign_and_refuses_integers(self):
        same(unary.frac(f32(1.5, -1.5)), [0.5, -0.5])
        with pytest.raises(NotImplementedError, match="\"frac_cpu\" not implemented for 'Long'"):
            unary.frac(i64(1))


class TestReplacing:
    def test_nan_and_infinities_become_numbers(self):
        limits = np.finfo(np.float32)
        same(unary.nan_to_num(f32(NAN, INF, -INF, 2)), np.array([0, limits.max, limits.min, 2], np.float32))
        same(unary.nan_to_num(f32(NAN, INF, -INF), nan=1.0, posinf=2.0, neginf=3.0), [1, 2, 3])

    def test_complex_numbers_part_by_part(self):
        same(unary.nan_to_num(jnp.array([complex(NAN, 1)]), nan=5.0), [5 + 1j])

    def test_logit_within_limits(self):
        x, eps = f32(0.2, 0.8, 0.1, 0.5), jnp.float32(0.2)
        near(unary.logit(x, eps), [-1.386294, 1.386294, -1.386294, 0])
        near(gradient(lambda x: unary.logit(x, eps), x), [6.25, 6.25, 0, 4])


class TestHalfPrecision:
    def test_a_formula_rounds_once(self):
        x = jnp.array([180.0], jnp.bfloat16)
        assert unary.deg2rad(x).dtype == jnp.bfloat16
        same(unary.deg2rad(x), jnp.array([np.pi], jnp.bfloat16))


class TestComplexIsRefused:
    @pytest.mark.parametrize(
        ("name", "kernel"),
        [("erf", "erf_vml_cpu"), ("erfinv", "erfinv_vml_cpu"), ("lgamma", "lgamma_vml_cpu"), ("digamma", "digamma")],
    )
    def test_by_kernels_of_real_numbers(self, name, kernel):
        with pytest.raises(NotImplementedError, match=f"\"{kernel}\" not implemented for 'ComplexDouble'"):
            OPS[name].fn(jnp.array([1j]))
