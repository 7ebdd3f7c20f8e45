"""Convolutions: padding, strides, groups, the transposed kernel, every lowering, and PyTorch's refusals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from derivatives import f32, gradients

from torchish._ops.nn import conv
from torchish._ops.registry import OPS


def ones(*shape, dtype=jnp.float32):
    return jnp.ones(shape, dtype)


def image(*rows):
    return jnp.array([[rows]], jnp.float32)


KERNEL = image([1, 2], [3, 4])


class TestPadding:
    def test_same_pads_the_odd_element_after(self):
        x = jnp.arange(1.0, 10.0, dtype=jnp.float32).reshape(1, 1, 3, 3)
        assert conv.conv2d(x, KERNEL, padding="same").tolist() == [[[[37, 47, 21], [67, 77, 33], [23, 26, 9]]]]

    def test_valid_is_none(self):
        assert conv.conv2d(ones(1, 1, 3, 3), KERNEL, padding="valid").shape == (1, 1, 2, 2)

    def test_stride_and_padding(self):
        out = conv.conv1d(f32(1, 2, 3, 4)[None, None], f32(1, 0, -1)[None, None], f32(0.5), stride=2, padding=1)
        assert out.tolist() == [[[-1.5, -1.5]]]

    def test_same_refuses_strides(self):
        with pytest.raises(RuntimeError, match="padding='same' is not supported for strided convolutions"):
            conv.conv2d(ones(1, 1, 3, 3), KERNEL, padding="same", stride=2)

    def test_unknown_word(self):
        with pytest.raises(RuntimeError, match="Invalid padding string: 'foo'"):
            conv.conv2d(ones(1, 1, 3, 3), KERNEL, padding="foo")


def test_gradients_with_stride():
    x, w, b = f32(1, 2, 3, 4)[None, None], f32(1, 0, -1)[None, None], f32(0.5)
    got = gradients(lambda *a: conv.conv1d(*a, stride=2, padding=1), x, w, b)
    assert got == [[[[0, 0, 0, -1]]], [[[2, 4, 6]]], [2]]


def test_groups_see_their_own_channels():
    x = jnp.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], jnp.float32)
    w = jnp.array([[[1.0, 1.0]], [[1.0, -1.0]]], jnp.float32)
    assert conv.conv1d(x, w, groups=2).tolist() == [[[3, 5], [-1, -1]]]


def test_the_batch_may_be_absent():
    assert conv.conv2d(ones(3, 8, 8), ones(2, 3, 3, 3)).shape == (2, 6, 6)
    name = OPS["conv2d"].node_name
    assert name({"ndims": (3, 4, 1)}) == "SqueezeBackward1"
    assert name({"ndims": (4, 4, 1)}) == "ConvolutionBackward0"


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "options"),
    [
        ((2, 3, 7, 6), (4, 3, 3, 2), {}),
        ((2, 3, 7, 6), (4, 3, 1, 1), {}),
        ((2, 3, 9, 9), (4, 3, 3, 3), {"stride": 2, "padding": 1, "dilation": 2}),
        ((2, 3, 7), (4, 3, 3), {"padding": 1}),
        ((1, 2, 5, 4, 5), (3, 2, 2, 2, 3), {"stride": (1, 2, 1)}),
    ],
)
def test_lowerings_agree_to_second_order(monkeypatch, x_shape, w_shape, options):
    """Columns and products on one side, XLA's convolution on the other."""
    rng = np.random.RandomState(0)
    x, w = (jnp.asarray(rng.standard_normal(s)) for s in (x_shape, w_shape))
    body = {1: conv.conv1d, 2: conv.conv2d, 3: conv.conv3d}[len(x_shape) - 2]

    def derivatives():
        def energy(x, w):
            return (body(x, w, **options) ** 3).sum()

        def slope(x, w):
            return sum((g**2).sum() for g in jax.grad(energy, (0, 1))(x, w))

        return jax.jit(lambda x, w: (body(x, w, **options), jax.grad(slope, (0, 1))(x, w)))(x, w)

    chosen = jax.tree.leaves(derivatives())
    monkeypatch.setattr(conv, "_convolve", conv._xla)
    for a, b in zip(chosen, jax.tree.leaves(derivatives()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


class TestTransposed:
    def test_spreads_by_the_stride(self):
        out = conv.conv_transpose2d(image([1, 2], [3, 4]), KERNEL, stride=2, output_padding=1)
        assert out.tolist() == [
            [[[1, 2, 2, 4, 0], [3, 4, 6, 8, 0], [3, 6, 4, 8, 0], [9, 12, 12, 16, 0], [0, 0, 0, 0, 0]]]
        ]

    def test_is_the_transpose_of_the_convolution(self):
        rng = np.random.RandomState(0)
        x, w = jnp.asarray(rng.standard_normal((2, 4, 7, 7))), jnp.asarray(rng.standard_normal((6, 2, 3, 3)))
        y, pull = jax.vjp(lambda x: conv.conv2d(x, w, stride=2, padding=1, groups=2), x)
        ct = jnp.asarray(rng.standard_normal(y.shape))
        np.testing.assert_allclose(
            conv.conv_transpose2d(ct, w, stride=2, padding=1, groups=2), pull(ct)[0], rtol=1e-10, atol=1e-12
        )

    def test_output_padding_must_be_small(self):
        with pytest.raises(
            RuntimeError, match="output padding must be smaller than either stride or dilation, but got"
        ):
            conv.conv_transpose2d(ones(1, 4, 8, 8), ones(4, 2, 3, 3), output_padding=1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("x_shape", "w_shape", "options", "text"),
        [
            (
                (1, 4, 8, 8),
                (2, 3, 3, 3),
                {},
                "Given groups=1, weight of size [2, 3, 3, 3], expected input[1, 4, 8, 8] to have 3 channels, "
                "but got 4 channels instead",
            ),
            (
                (1, 3, 2, 2),
                (2, 3, 3, 3),
                {},
                "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). "
                "Kernel size can't be greater than actual input size",
            ),
            (
                (8, 8),
                (2, 3, 3, 3),
                {},
                "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [8, 8]",
            ),
            (
                (1, 2, 4, 3),
                (2, 2, 1, 3),
                {"groups": 3},
                "Given groups=3, expected weight to be at least 3 at dimension 0, "
                "but got weight of size [2, 2, 1, 3] instead",
            ),
            ((1, 3, 8, 8), (2, 3, 3, 3), {"stride": 0}, "non-positive stride is not supported"),
            ((1, 3, 8, 8), (2, 3, 3, 3), {"padding": -1}, "negative padding is not supported"),
            (
                (1, 3, 8, 8),
                (2, 3, 3, 3),
                {"stride": (1, 1, 1)},
                "expected stride to be a single integer value or a list of 2 values to match the convolution "
                "dimensions, but got stride=[1, 1, 1]",
            ),
        ],
    )
    def test_shapes_and_parameters(self, x_shape, w_shape, options, text):
        with pytest.raises(RuntimeError) as raised:
            conv.conv2d(ones(*x_shape), ones(*w_shape), **options)
        assert str(raised.value) == text

    def test_dtypes(self):
        with pytest.raises(RuntimeError, match=r"Input type \(float\) and bias type \(double\) should be the same"):
            conv.conv2d(ones(1, 3, 8, 8), ones(2, 3, 3, 3), ones(2, dtype=jnp.float64))
        with pytest.raises(RuntimeError, match="expected scalar type Float but found Double"):
            conv.conv2d(ones(1, 3, 8, 8), ones(2, 3, 3, 3, dtype=jnp.float64))

    def test_bias(self):
        with pytest.raises(
            RuntimeError, match="expected bias to be 1-dimensional with 2 elements, but got bias of size"
        ):
            conv.conv2d(ones(1, 3, 8, 8), ones(2, 3, 3, 3), ones(3))


def test_an_empty_batch_gives_an_empty_result():
    assert conv.conv2d(ones(0, 3, 8, 8), ones(2, 3, 3, 3)).shape == (0, 2, 6, 6)


def test_integers_stay_integers():
    assert conv.conv2d(ones(1, 1, 3, 3, dtype=jnp.int64), ones(1, 1, 2, 2, dtype=jnp.int64)).tolist() == [
        [[[4, 4], [4, 4]]]
    ]
