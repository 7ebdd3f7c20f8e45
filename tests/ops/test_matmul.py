"""Matrix products: broadcasting, what beta and alpha of 0 mean, dtypes, and PyTorch's refusals."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradients

import torchish
from torchish._ops.linalg import einsum as contraction
from torchish._ops.linalg import matmul as ops
from torchish._ops.registry import OPS

NAN = math.nan


def ones(*shape, dtype=jnp.float32):
    return jnp.ones(shape, dtype)


def node(name, *ndims, **static):
    return OPS[name].node_name({"ndims": ndims, **static})


class TestMatmul:
    @pytest.mark.parametrize(
        ("left", "right", "result"),
        [
            ((3,), (3,), ()),
            ((2, 3), (3,), (2,)),
            ((3,), (3, 4), (4,)),
            ((2, 3), (3, 4), (2, 4)),
            ((5, 2, 3), (3, 4), (5, 2, 4)),
            ((3,), (5, 3, 4), (5, 4)),
            ((5, 1, 2, 3), (6, 3, 4), (5, 6, 2, 4)),
        ],
    )
    def test_shapes(self, left, right, result):
        product = ops.matmul(ones(*left), ones(*right))
        assert product.shape == result
        assert (product == 3).all()

    @pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.int32, jnp.int64, jnp.float64, jnp.complex64])
    def test_dtype_stays(self, dtype):
        assert ops.matmul(ones(2, 3, dtype=dtype), ones(3, 2, dtype=dtype)).dtype == dtype

    def test_half_products_accumulate_in_float32(self):
        # In bfloat16 a sum of ones stops growing at 256.
        row = ones(1, 1000, dtype=jnp.bfloat16)
        assert jax.jit(ops.mm)(row, row.T)[0, 0] == 1000

    @pytest.mark.parametrize(
        ("left", "right", "text"),
        [
            ((2, 3), (4, 5), "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
            ((2, 2, 3), (4, 5), "mat1 and mat2 shapes cannot be multiplied (4x3 and 4x5)"),
            ((3,), (4, 5), "mat1 and mat2 shapes cannot be multiplied (1x3 and 4x5)"),
            ((2, 3), (4,), "size mismatch, got input (2), mat (2x3), vec (4)"),
            (
                (3,),
                (4,),
                "inconsistent tensor size, expected tensor [3] and src [4] to have the same number of elements, "
                "but got 3 and 4 elements respectively",
            ),
            (
                (2, 2, 3),
                (2, 4, 5),
                "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [2, 4].",
            ),
            (
                (2, 2, 3),
                (3, 3, 5),
                "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
            ),
            ((), (2,), "both arguments to matmul need to be at least 1D, but they are 0D and 1D"),
        ],
    )
    def test_shapes_that_do_not_fit_are_named(self, left, right, text):
        with pytest.raises(RuntimeError) as raised:
            ops.matmul(ones(*left), ones(*right))
        assert str(raised.value) == text

    def test_mixed_dtypes_are_refused(self):
        with pytest.raises(RuntimeError, match="expected m1 and m2 to have the same dtype, but got: float != double"):
            ops.mm(ones(2, 3), ones(3, 4, dtype=jnp.float64))

    def test_bools_are_refused(self):
        with pytest.raises(NotImplementedError, match="\"addmm_impl_cpu_\" not implemented for 'Bool'"):
            ops.mm(ones(2, 3, dtype=bool), ones(3, 4, dtype=bool))

    def test_node_names_go_by_rank(self):
        assert node("matmul", 2, 2) == "MmBackward0"
        assert node("matmul", 1, 1) == "DotBackward0"
        assert node("matmul", 3, 2) == "UnsafeViewBackward0"


class TestAddmm:
    def test_scales_both_parts(self):
        out = ops.addmm(ones(2), ones(2, 3), ones(3, 2), beta=jnp.float64(10), alpha=jnp.float64(2))
        assert (out == 16).all()

    def test_beta_zero_ignores_nan_in_the_input(self):
        out = ops.addmm(jnp.full((2, 2), NAN, jnp.float32), ones(2, 3), ones(3, 2), beta=jnp.int64(0))
        assert (out == 3).all()

    def test_beta_zero_gives_the_input_no_gradient(self):
        grad = gradients(lambda x: ops.addmm(x, ones(1, 3), ones(3, 1), beta=jnp.int64(0)), f32(NAN))[0]
        assert grad == [0.0]

    def test_input_that_does_not_broadcast(self):
        with pytest.raises(RuntimeError) as raised:
            ops.addmm(ones(2, 5), ones(2, 3), ones(3, 4))
        assert str(raised.value) == (
            "The expanded size of the tensor (4) must match the existing size (5) at non-singleton dimension 1.  "
            "Target sizes: [2, 4].  Tensor sizes: [2, 5]"
        )

    def test_the_batched_kin_agree_with_a_sum_and_a_stack(self):
        batch1, batch2 = ones(4, 2, 3), ones(4, 3, 2)
        assert (ops.addbmm(ones(2, 2), batch1, batch2) == 13).all()
        assert (ops.baddbmm(ones(1, 2, 2), batch1, batch2) == 4).all()

    def test_addr_of_bools_is_logical(self):
        row = jnp.array([True, False])
        out = ops.addr(jnp.zeros((2, 2), bool), row, row)
        assert out.tolist() == [[True, False], [False, False]]


class TestVectors:
    def test_vdot_conjugates_the_first(self):
        z = jnp.array([1 + 2j], jnp.complex64)
        assert ops.vdot(z, z) == 5
        assert ops.dot(z, z) == (1 + 2j) ** 2

    def test_inner_with_a_scalar_multiplies(self):
        assert ops.inner(jnp.float32(2), f32(1, 2)).tolist() == [2, 4]

    def test_a_scalar_promotes_by_category_alone(self):
        assert ops.inner(jnp.float64(2), ones(2)).dtype == jnp.float32
        assert ops.inner(jnp.float32(2), ones(2, dtype=jnp.int64)).dtype == jnp.float32

    def test_outer_refuses_matrices(self):
        with pytest.raises(RuntimeError, match="outer: Expected 1-D argument vec2, but got 2-D"):
            ops.outer(ones(2), ones(3, 1))


class TestLinear:
    def test_leading_dimensions_stay(self):
        out = ops.linear(ones(5, 2, 3), ones(4, 3), ones(4))
        assert out.shape == (5, 2, 4) and (out == 4).all()

    def test_gradients(self):
        x, w, b = f32(1, 2)[None], f32(3, 4)[None], f32(0)
        assert gradients(ops.linear, x, w, b) == [[[3, 4]], [[1, 2]], [1]]

    def test_wrong_features(self):
        with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(4x3 and 4x5\)"):
            ops.linear(ones(2, 2, 3), ones(5, 4), ones(5))

    def test_node_names(self):
        assert node("linear", 2, 2, 1) == "AddmmBackward0"
        assert node("linear", 2, 2) == "MmBackward0"
        assert node("linear", 3, 2, 1) == "ViewBackward0"

    def test_bilinear(self):
        out = ops.bilinear(f32(1, 2)[None], f32(3, 4)[None], jnp.eye(2, dtype=jnp.float32)[None], f32(0.5))
        assert out.tolist() == [[11.5]]


class TestEinsum:
    @pytest.mark.parametrize(
        ("equation", "shapes", "result"),
        [
            ("ij,jk->ik", [(2, 3), (3, 4)], (2, 4)),
            ("ij,jk", [(2, 3), (3, 4)], (2, 4)),
            ("bA,Ac", [(2, 3), (3, 4)], (2, 4)),
            ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)], (5, 2, 4)),
            ("ii->i", [(3, 3)], (3,)),
            ("ii", [(3, 3)], ()),
            ("i...j", [(5, 2, 3)], (2, 5, 3)),
            ("bn,anm,bm->ba", [(2, 5), (3, 5, 4), (2, 4)], (2, 3)),
        ],
    )
    def test_shapes(self, equation, shapes, result):
        assert contraction.einsum(equation, [ones(*s) for s in shapes]).shape == result

    def test_a_dimension_of_size_one_broadcasts(self):
        assert contraction.einsum("ij,jk->ik", [ones(2, 1), ones(3, 4)]).tolist() == [[3.0] * 4] * 2

    def test_a_sum_of_integers_is_int64_and_a_product_is_not(self):
        small = ones(2, 2, dtype=jnp.int32)
        assert contraction.einsum("ij->i", [small]).dtype == jnp.int64
        assert contraction.einsum("ij,jk->ik", [small, small]).dtype == jnp.int32

    @pytest.mark.parametrize(
        ("equation", "shapes", "text"),
        [
            (
                "ij,jk->ik",
                [(2, 3), (4, 5)],
                "einsum(): subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3",
            ),
            ("ij->ik", [(2, 3)], "einsum(): output subscript k does not appear in the equation for any input operand"),
            ("ij,jk->ik", [(2, 3)], "einsum(): fewer operands were provided than specified in the equation"),
            ("ij->i", [(2, 3), (3,)], "einsum(): more operands were provided than specified in the equation"),
            ("ii->i", [(2, 3)], "einsum(): subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"),
            (
                "i1->i",
                [(2, 3)],
                "einsum(): invalid subscript given at index 1 in the equation string, subscripts must be in [a-zA-Z]",
            ),
        ],
    )
    def test_equations_that_do_not_fit(self, equation, shapes, text):
        with pytest.raises(RuntimeError) as raised:
            contraction.einsum(equation, [ones(*s) for s in shapes])
        assert str(raised.value) == text

    @pytest.mark.parametrize(
        ("equation", "name"),
        [
            ("ij,jk->ik", "ViewBackward0"),
            ("ij->ji", "PermuteBackward0"),
            ("ij->i", "SumBackward1"),
            ("ii", "SumBackward1"),
            ("i,j->ij", "MulBackward0"),
        ],
    )
    def test_node_names(self, equation, name):
        assert OPS["einsum"].node_name({"equation": equation}) == name

    def test_tensordot(self):
        a, b = ones(2, 3), ones(3, 2)
        assert contraction.tensordot(a, b, 1).shape == (2, 2)
        assert contraction.tensordot(a, b, 0).shape == (2, 3, 3, 2)
        assert contraction.tensordot(a, b, ((0, 1), (1, 0))) == 6
        with pytest.raises(
            RuntimeError, match="contracted dimensions need to match, but first has size 3 in dim 1 and"
        ):
            contraction.tensordot(a, ones(4, 5), ((1,), (0,)))


def test_second_derivative_of_a_product():
    def gradient_norm(w):
        grad = jax.grad(lambda x: (ops.matmul(x, w) ** 2).sum())(ones(1, 2, dtype=w.dtype))
        return (grad**2).sum()

    # The gradient is 2 x w w^T; with w = [a; b] it is 2 (a + b) (a, b).
    a, b = 2.0, 3.0
    got = np.asarray(jax.jit(jax.grad(gradient_norm))(jnp.array([[a], [b]]))).ravel()
    s, q = a + b, a * a + b * b
    np.testing.assert_allclose(got, [8 * s * q + 8 * s * s * a, 8 * s * q + 8 * s * s * b], rtol=1e-6)


class TestInPlaceOfAnotherShape:
    """``addbmm_`` alone gives its tensor the result's shape; the others refuse, each in its own words."""

    B, C = torchish.ones(2, 3, 4), torchish.ones(2, 4, 5)

    def test_addbmm_takes_the_shape_of_the_result(self):
        x = torchish.ones(5)
        assert x.addbmm_(self.B, self.C) is x
        assert x.shape == (3, 5)
        assert x.tolist() == [[9.0] * 5] * 3

    def test_its_gradient(self):
        x = torchish.ones(5, requires_grad=True)
        y = x * 2
        y.addbmm_(self.B, self.C)
        y.sum().backward()
        assert x.grad.tolist() == [6.0] * 5

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (
                lambda: torchish.ones(1).addmm_(torchish.ones(3, 4), torchish.ones(4, 5)),
                "Bad in-place call: input tensor size [1] and output tensor size [3, 5] should match",
            ),
            (
                lambda: torchish.ones(3, 5).baddbmm_(torchish.ones(2, 3, 4), torchish.ones(2, 4, 5)),
                "Bad in-place call: input tensor size [3, 5] and output tensor size [2, 3, 5] should match",
            ),
            (
                lambda: torchish.ones(1).addmv_(torchish.ones(3, 4), torchish.ones(4)),
                "Bad in-place call: input tensor size [1] and output tensor size [3] should match",
            ),
            (
                lambda: torchish.ones(5).addr_(torchish.ones(3), torchish.ones(5)),
                "2D tensor expected, got 1D tensor for input",
            ),
            (
                lambda: torchish.ones(1, 5).addr_(torchish.ones(3), torchish.ones(5)),
                "size mismatch, input: [1, 5], v1: [3], v2: [5]",
            ),
        ],
    )
    def test_refused(self, call, text):
        with pytest.raises(RuntimeError) as caught:
            call()
        assert str(caught.value) == text
