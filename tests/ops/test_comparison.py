"""Comparisons, tests of elements, logic and bits: PyTorch's values, dtypes and error texts."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, i64

from torchish._ops.elementwise import comparison
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    assert actual.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


class TestComparison:
    def test_nan_equals_nothing(self):
        same(comparison.eq(f32(NAN, 1), f32(NAN, 1)), [False, True])
        same(comparison.ne(f32(NAN, 1), f32(NAN, 1)), [True, False])
        same(comparison.ge(f32(NAN, 1), f32(NAN, 1)), [False, True])

    @pytest.mark.parametrize("name", ["lt", "le", "gt", "ge"])
    def test_complex_numbers_have_no_order(self, name):
        with pytest.raises(NotImplementedError, match=f"\"{name}_cpu\" not implemented for 'ComplexFloat'"):
            OPS[name].fn(jnp.array([1j], jnp.complex64), jnp.array([1j], jnp.complex64))

    def test_shapes_must_broadcast(self):
        with pytest.raises(RuntimeError, match=r"The size of tensor a \(2\) must match the size of tensor b \(3\)"):
            comparison.eq(i64(1, 2), i64(1, 2, 3))

    @pytest.mark.parametrize("name", ["eq", "isclose", "logical_and", "bitwise_or", "signbit"])
    def test_none_of_these_has_a_derivative(self, name):
        assert not OPS[name].differentiable


class TestIsclose:
    def test_the_tolerance_is_relative_to_the_second_operand(self):
        same(comparison.isclose(f32(10), f32(11), rtol=0.095), [True])
        same(comparison.isclose(f32(11), f32(10), rtol=0.095), [False])

    def test_infinities_are_close_to_themselves_alone(self):
        same(comparison.isclose(f32(INF, INF, INF), f32(INF, -INF, 1)), [True, False, False])

    def test_nan_is_close_to_nan_where_asked(self):
        same(comparison.isclose(f32(NAN), f32(NAN)), [False])
        same(comparison.isclose(f32(NAN), f32(NAN), equal_nan=True), [True])

    def test_integers_compare_with_a_fractional_tolerance(self):
        same(comparison.isclose(i64(100, 100), i64(101, 103), rtol=0.015), [True, False])

    def test_the_dtypes_must_agree(self):
        with pytest.raises(RuntimeError, match=r"^Float did not match Double$"):
            comparison.isclose(f32(1), jnp.array([1.0]))

    @pytest.mark.parametrize("name", ["rtol", "atol"])
    def test_a_negative_tolerance_is_an_error(self, name):
        assert not check_fires("isclose", f32(1), f32(1))
        assert check_fires("isclose", f32(1), f32(1), **{name: -0.4})
        error = check_error("isclose", f32(1), f32(1), **{name: -0.4})
        assert type(error) is RuntimeError
        assert str(error) == f"{name} must be greater than or equal to zero, but got -0.4"


class TestElements:
    def test_infinity_and_nan(self):
        x = f32(1, INF, -INF, NAN)
        same(comparison.isnan(x), [False, False, False, True])
        same(comparison.isinf(x), [False, True, True, False])
        same(comparison.isfinite(x), [True, False, False, False])
        same(comparison.isposinf(x), [False, True, False, False])
        same(comparison.isneginf(x), [False, False, True, False])

    def test_integers_are_always_finite(self):
        same(comparison.isnan(i64(1)), [False])
        same(comparison.isfinite(i64(1)), [True])
        same(comparison.isposinf(i64(1)), [False])

    def test_complex_numbers_are_tested_in_both_parts(self):
        z = jnp.array([complex(1, NAN), complex(INF, 0), 1 + 0j])
        same(comparison.isnan(z), [True, False, False])
        same(comparison.isinf(z), [False, True, False])
        same(comparison.isreal(z), [False, True, True])
        with pytest.raises(RuntimeError, match="isposinf does not support complex inputs"):
            comparison.isposinf(z)

    def test_the_sign_bit_of_negative_zero_is_set(self):
        same(comparison.signbit(f32(-0.0, 0.0, -1, NAN)), [True, False, True, False])
        same(comparison.signbit(i64(-1, 0)), [True, False])
        same(comparison.signbit(jnp.array([True])), [False])


class TestLogic:
    def test_any_nonzero_number_is_true_and_dtypes_may_differ(self):
        a, b = f32(0, 2, NAN, 0), i64(0, 0, 3, 1)
        same(comparison.logical_and(a, b), [False, False, True, False])
        same(comparison.logical_or(a, b), [False, True, True, True])
        same(comparison.logical_xor(a, b), [False, True, False, True])
        same(comparison.logical_not(a), [True, False, False, True])


class TestBits:
    def test_integers_keep_their_dtype_and_bools_are_logical(self):
        same(comparison.bitwise_and(i64(12), i64(10)), np.array([8]))
        same(comparison.bitwise_or(i64(12), i64(10)), np.array([14]))
        same(comparison.bitwise_xor(i64(12), i64(10)), np.array([6]))
        same(comparison.bitwise_not(i64(0, -1)), np.array([-1, 0]))
        same(comparison.bitwise_not(jnp.array([True])), [False])

    @pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
    def test_floats_have_no_bits(self, name):
        with pytest.raises(NotImplementedError, match=f"\"{name}_cpu\" not implemented for 'Float'"):
            OPS[name].fn(f32(1), f32(1))

    def test_bools_do_not_shift(self):
        yes = jnp.array([True])
        with pytest.raises(NotImplementedError, match="\"lshift_cpu\" not implemented for 'Bool'"):
            comparison.bitwise_left_shift(yes, yes)

    def test_shifts_out_of_range_leave_nothing_but_the_sign(self):
        x = jnp.array([-8, 8, -8, 8], jnp.int32)
        shifts = jnp.array([33, 33, -1, -1], jnp.int32)
        same(comparison.bitwise_left_shift(x, shifts), np.zeros(4, np.int32))
        same(comparison.bitwise_right_shift(x, shifts), np.array([-1, 0, -1, 0], np.int32))
        same(comparison.bitwise_right_shift(x, jnp.full(4, 2, jnp.int32)), np.array([-2, 2, -2, 2], np.int32))
