"""Arithmetic, selection and functions of two variables: PyTorch's values, dtypes, slopes and error texts."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import check_error, check_fires, f32, gradients, i64, second_derivative

from torchish._ops.broadcasting import broadcast_shapes
from torchish._ops.elementwise import binary_math, pointwise
from torchish._ops.registry import OPS

INF, NAN = math.inf, math.nan


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))


class TestBroadcasting:
    def test_shapes_are_aligned_from_the_right(self):
        assert broadcast_shapes((3, 1), (4,), ()) == (3, 4)
        assert broadcast_shapes((0,), (1,)) == (0,)

    @pytest.mark.parametrize(
        ("shapes", "sizes", "dim"),
        [
            (((2, 3), (2, 4)), (3, 4), 1),
            (((3, 2), (4, 5)), (2, 5), 1),
            (((3,), (4, 1, 5)), (3, 5), 2),
            (((3,), (2, 3), (4, 1, 5)), (3, 5), 2),
        ],
    )
    def test_a_mismatch_names_the_last_dimension_that_differs(self, shapes, sizes, dim):
        text = (
            f"The size of tensor a ({sizes[0]}) must match the size of tensor b ({sizes[1]}) "
            f"at non-singleton dimension {dim}"
        )
        with pytest.raises(RuntimeError) as caught:
            broadcast_shapes(*shapes)
        assert str(caught.value) == text

    def test_an_op_raises_it_while_it_is_traced(self):
        with pytest.raises(RuntimeError, match=r"The size of tensor a \(3\) must match the size of tensor b \(4\)"):
            jax.eval_shape(
                pointwise.add, jax.ShapeDtypeStruct((3,), np.float32), jax.ShapeDtypeStruct((4,), np.float32)
            )


class TestSumsAndProducts:
    def test_alpha_scales_the_second_operand(self):
        same(pointwise.add(i64(1, 2), i64(3, 4), alpha=2), [7, 10])
        same(pointwise.sub(f32(1), f32(3), alpha=jnp.float64(0.5)), [-0.5])
        same(pointwise.rsub(f32(1), f32(3), alpha=2), [1])

    def test_bools_add_as_or_and_multiply_as_and(self):
        a, b = jnp.array([True, True, False]), jnp.array([True, False, False])
        same(pointwise.add(a, b), [True, True, False])
        same(pointwise.mul(a, b), [True, False, False])

    def test_bools_do_not_subtract(self):
        yes = jnp.array([True])
        for subtract in (pointwise.sub, pointwise.rsub):
            with pytest.raises(RuntimeError, match="with two bool tensors is not supported"):
                subtract(yes, yes)

    def test_addcmul_keeps_the_dtype_of_half_precision(self):
        half = jnp.array([2.0], jnp.bfloat16)
        out = pointwise.addcmul(half, half, half, value=jnp.asarray(0.5, jnp.bfloat16))
        assert out.dtype == jnp.bfloat16
        same(out, half * 2)

    def test_addcdiv_refuses_integers(self):
        with pytest.raises(RuntimeError, match="Integer division with addcdiv is no longer supported"):
            pointwise.addcdiv(i64(1), i64(1), i64(1))

    def test_lerp_reaches_its_end_exactly(self):
        start, end = f32(0.1, 1e8), f32(0.7, 1.0)
        same(pointwise.lerp(start, end, jnp.float64(1)), end)
        same(pointwise.lerp(start, end, jnp.float64(0)), start)

    def test_lerp_wants_one_dtype(self):
        with pytest.raises(RuntimeError, match="expected dtype float for `end` but got dtype double"):
            pointwise.lerp(f32(1), jnp.array([1.0]), jnp.float64(0.5))


class TestDivision:
    def test_integers_divide_to_the_default_float(self):
        out = pointwise.div(i64(7, -7), i64(2, 2))
        assert out.dtype == np.float32
        same(out, [3.5, -3.5])

    @pytest.mark.parametrize("make", [f32, i64])
    def test_rounding_modes(self, make):
        a, b = make(7, -7, 7, -7), make(2, 2, -2, -2)
        same(pointwise.div(a, b, rounding_mode="floor"), [3, -4, -4, 3])
        same(pointwise.div(a, b, rounding_mode="trunc"), [3, -3, -3, 3])
        same(pointwise.floor_divide(a, b), [3, -4, -4, 3])
        same(pointwise.remainder(a, b), [1, 1, -1, -1])
        same(pointwise.fmod(a, b), [1, -1, 1, -1])

    def test_the_floor_is_that_of_the_exact_quotient(self):
        # 1 / 0.1 rounds to 10, but 0.1 as a double is a little more than a tenth.
        same(pointwise.floor_divide(jnp.array([1.0]), jnp.array([0.1])), [9.0])

    def test_floats_divide_by_zero_and_infinity(self):
        a, b = f32(5, -5, 0, 1, -1), f32(0, 0, 0, INF, INF)
        same(jax.jit(pointwise.floor_divide)(a, b), [INF, -INF, NAN, 0, -1])
        same(jax.jit(pointwise.remainder)(a, b), [NAN, NAN, NAN, 1, INF])

    def test_half_precision_rounds_the_quotient_before_it_is_truncated(self):
        a, b = jnp.array([59.75], jnp.bfloat16), jnp.array([4.0], jnp.bfloat16)
        same(jax.jit(lambda a, b: pointwise.div(a, b, rounding_mode="trunc"))(a, b), jnp.array([14], jnp.bfloat16))
        a, b = jnp.array([59.75], jnp.bfloat16), jnp.array([3.984375], jnp.bfloat16)  # 14.996, which rounds to 15
        same(jax.jit(lambda a, b: pointwise.div(a, b, rounding_mode="trunc"))(a, b), jnp.array([15], jnp.bfloat16))

    @pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
    def test_an_integer_divisor_of_zero_is_an_error(self, name):
        assert check_fires(name, i64(1, 1), i64(2, 0))
        assert not check_fires(name, i64(1, 1), i64(2, 1))
        assert not check_fires(name, f32(1, 1), f32(2, 0))
        error = check_error(name, i64(1), i64(0))
        assert type(error) is RuntimeError and str(error) == "ZeroDivisionError"

    def test_only_rounded_division_by_zero_is_an_error(self):
        assert check_fires("div", i64(1), i64(0), rounding_mode="trunc")
        assert not check_fires("div", i64(1), i64(0))

    def test_an_unknown_rounding_mode_is_an_error(self):
        with pytest.raises(RuntimeError) as caught:
            pointwise.div(f32(1), f32(1), rounding_mode="up")
        text = "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'"
        assert str(caught.value) == text

    def test_slopes_of_remainder_and_of_rounded_quotients(self):
        a, b = f32(7, -7), f32(2, 2)
        assert gradients(pointwise.remainder, a, b) == [[1, 1], [-3, 4]]
        assert gradients(pointwise.fmod, a, b) == [[1, 1], [-3, 3]]
        for mode in ("floor", "trunc"):
            rounded = lambda a, b, mode=mode: pointwise.div(a, b, rounding_mode=mode)  # noqa: E731
            assert gradients(rounded, a, b) == [[0, 0], [0, 0]]


class TestExtremes:
    @pytest.mark.parametrize("fn", [pointwise.maximum, pointwise.minimum])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, jnp.bfloat16])
    def test_nan_propagates_also_when_compiled(self, fn, dtype):
        # Long enough for the compiler's vectorised loop and its remainder.
        a = jnp.where(jnp.arange(67) % 2 == 0, jnp.nan, 1).astype(dtype)
        b = jnp.where(jnp.arange(67) % 3 == 0, jnp.nan, 2).astype(dtype)
        expected = (np.arange(67) % 2 == 0) | (np.arange(67) % 3 == 0)
        same(np.isnan(np.asarray(jax.jit(fn)(a, b), np.float64)), expected)

    def test_a_tie_splits_the_gradient_of_maximum_and_minimum(self):
        assert gradients(pointwise.maximum, f32(1, 1, 3), f32(1, 2, 2)) == [[0.5, 0, 1], [0.5, 1, 0]]
        assert gradients(pointwise.minimum, f32(1, 1, 3), f32(1, 2, 2)) == [[0.5, 1, 0], [0.5, 0, 1]]

    def test_where_an_operand_is_nan_both_get_the_whole_gradient(self):
        assert gradients(pointwise.maximum, f32(NAN), f32(1)) == [[1], [1]]

    def test_fmax_and_fmin_take_the_operand_that_is_not_nan(self):
        a, b = f32(NAN, 1, NAN), f32(1, NAN, NAN)
        same(pointwise.fmax(a, b), [1, 1, NAN])
        same(pointwise.fmin(a, b), [1, 1, NAN])
        assert gradients(pointwise.fmax, f32(NAN, 1, 2), f32(1, NAN, 2)) == [[0, 1, 1], [1, 0, 0]]

    def test_complex_numbers_have_no_order(self):
        with pytest.raises(RuntimeError, match=r"^maximum not implemented for complex tensors\.$"):
            pointwise.maximum(jnp.array([1j]), jnp.array([1j]))


class TestClamp:
    def test_a_bound_has_slope_one_and_nan_none(self):
        x = f32(0, 1, 0.5, 2, -1, NAN)
        assert gradients(lambda x: pointwise.clamp(x, jnp.float32(0), jnp.float32(1)), x) == [[1, 1, 1, 0, 0, 0]]

    def test_nan_stays_also_as_a_bound(self):
        same(jax.jit(pointwise.clamp)(f32(NAN, 1), f32(0, NAN), f32(1, 2)), [NAN, NAN])

    def test_the_upper_bound_wins_where_the_bounds_cross(self):
        same(pointwise.clamp(f32(0, 5), jnp.float32(3), jnp.float32(1)), [1, 1])

    def test_bounds_get_the_gradient_that_the_input_does_not(self):
        x, low, high = f32(-1, 2, 0.5, 0.5), f32(0, 0, 0, 1), f32(1, 1, 1, 0)
        assert gradients(pointwise.clamp, x, low, high) == [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 1]]

    def test_one_bound_is_enough_and_none_too_few(self):
        same(pointwise.clamp(f32(-1, 1), None, jnp.float32(0)), [-1, 0])
        same(pointwise.clamp_min(f32(-1, 1), jnp.float32(0)), [0, 1])
        with pytest.raises(RuntimeError, match="At least one of 'min' or 'max' must not be None"):
            pointwise.clamp(f32(1))


class TestWhere:
    def test_the_condition_must_be_bool(self):
        with pytest.raises(RuntimeError) as caught:
            pointwise.where(f32(1), f32(1), f32(1))
        text = "where expected condition to be a boolean tensor, but got a tensor with dtype Float"
        assert str(caught.value) == text

    def test_nan_leaks_from_the_branch_not_taken(self):
        masked_root = lambda x: pointwise.where(x > 0, jnp.sqrt(x), jnp.zeros_like(x))  # noqa: E731
        assert np.isnan(gradients(masked_root, f32(0))[0][0])

    def test_heaviside_wants_one_dtype(self):
        same(pointwise.heaviside(f32(-1, 0, 2), f32(5, 5, 5)), [0, 5, 1])
        with pytest.raises(RuntimeError, match="not yet implemented for tensors with different dtypes"):
            pointwise.heaviside(f32(1), i64(1))


class TestPow:
    def test_a_power_of_zero_is_flat_also_at_zero(self):
        assert gradients(binary_math.pow_tensor_tensor, f32(0, 0), f32(0, 2)) == [[0, 0], [0, 0]]
        assert gradients(lambda x: binary_math.pow_tensor_scalar(x, 0), f32(0, 1)) == [[0, 0]]

    @pytest.mark.parametrize(
        ("exponent", "expected"),
        [(0, [1, 1]), (1, [4, -2]), (2, [16, 4]), (3, [64, -8]), (-1, [0.25, -0.5]), (-2, [0.0625, 0.25]),
         (2.0, [16, 4]), (0.5, [2, NAN]), (-0.5, [0.5, NAN])],
    )  # fmt: skip
    def test_static_exponents(self, exponent, expected):
        same(binary_math.pow_tensor_scalar(f32(4, -2), exponent), expected)

    def test_first_and_second_derivatives(self):
        cube = lambda x: binary_math.pow_tensor_scalar(x, 3)  # noqa: E731
        assert gradients(cube, f32(2, 0)) == [[12, 0]]
        assert second_derivative(cube, f32(2, 0)) == [12, 0]
        runtime = lambda x: binary_math.pow_tensor_number(x, jnp.float32(3))  # noqa: E731
        assert gradients(runtime, f32(2, 0)) == [[12, 0]]
        assert second_derivative(runtime, f32(2, 0)) == [12, 0]

    def test_integers(self):
        same(binary_math.pow_tensor_tensor(i64(2, -3, 0), i64(10, 3, 0)), [1024, -27, 1])
        same(binary_math.pow_tensor_tensor(i64(2, 1, -1, -1), i64(-1, -2, -3, -2)), [0, 1, -1, 1])
        with pytest.raises(RuntimeError, match="Integers to negative integer powers are not allowed"):
            binary_math.pow_tensor_scalar(i64(2), -1)

    def test_result_dtypes(self):
        assert binary_math.pow_tensor_scalar(jnp.array([True]), 2).dtype == np.int64
        assert binary_math.pow_tensor_scalar(i64(2), 2.0).dtype == np.float32
        assert binary_math.float_power(i64(2), f32(2)).dtype == np.float64

    def test_a_number_to_the_power_of_a_tensor(self):
        assert gradients(lambda e: binary_math.pow_scalar(jnp.float32(0), e), f32(0, 1)) == [[0, 0]]
        np.testing.assert_allclose(
            gradients(lambda e: binary_math.pow_scalar(jnp.float32(2), e), f32(3))[0], 8 * np.log(2), 1e-6
        )


class TestFunctionsOfTwoVariables:
    def test_slopes_at_the_origin(self):
        zero = f32(0)
        assert gradients(binary_math.atan2, zero, zero) == [[0], [0]]
        assert gradients(binary_math.xlogy, zero, f32(0))[0] == [0]
        assert np.isnan(gradients(binary_math.hypot, zero, zero)).all()
        assert gradients(binary_math.copysign, f32(0, -2), f32(-1, 1)) == [[0, -1], [0, 0]]

    def test_xlogy_is_zero_times_anything_but_nan(self):
        same(binary_math.xlogy(f32(0, 0, 0), f32(0, INF, NAN)), [0, 0, NAN])

    def test_logaddexp_of_infinities(self):
        same(jax.jit(binary_math.logaddexp)(f32(-INF, INF), f32(-INF, 0)), [-INF, INF])
        assert np.isnan(gradients(binary_math.logaddexp, f32(-INF), f32(-INF))).all()

    def test_complex_logaddexp_keeps_the_imaginary_part(self):
        out = binary_math.logaddexp(jnp.array([5 - 8j]), jnp.array([-9 - 7j]))
        assert float(out.imag[0]) == pytest.approx(-8, abs=1e-5)

    def test_hypot_does_not_overflow_and_refuses_integers(self):
        assert float(binary_math.hypot(f32(3e38), f32(0))[0]) == pytest.approx(3e38)
        with pytest.raises(NotImplementedError, match="\"hypot_cpu\" not implemented for 'Long'"):
            binary_math.hypot(i64(3), i64(4))

    def test_integers_and_bits_of_floats(self):
        same(binary_math.gcd(i64(12, -12, 0), i64(18, 18, 0)), [6, 6, 0])
        same(binary_math.lcm(i64(4, 0), i64(6, 3)), [12, 0])
        same(binary_math.nextafter(f32(1), f32(2)), [np.nextafter(np.float32(1), np.float32(2))])
        same(binary_math.ldexp(f32(3), f32(-1)), [1.5])


def test_node_names_tell_numbers_from_tensors():
    assert OPS["rsub"].node_name({"numbers": ("other",)}) == "RsubBackward1"
    assert OPS["rsub"].node_name({}) == "RsubBackward0"
    assert OPS["clamp"].node_name({"numbers": ("min",)}) == "ClampBackward1"
    assert OPS["clamp"].node_name({}) == "ClampBackward0"
    assert OPS["div"].node_name({"rounding_mode": "floor"}) == "DivBackward2"
    assert OPS["xlogy"].node_name({"numbers": ("input",)}) == "XlogyBackward1"
