"""Arguments of the ops of every day: arithmetic, reductions, indexing, layers, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values import SQUARE, Fixed, Floats, Permutation, f, i

SIGNS = Fixed([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])

_INTEGERS = {"input": i(3, 3, high=9, low=1), "other": i(3, 3, high=4, low=1)}
_VECTORS = {"input": f(3), "tensor": f(3), "other": f(3), "vec2": f(3)}
_ROWS_BY_LABELS = {"target": Fixed([0, 2, 1])}
_CHOSEN_BY_SIGN = {"target": Fixed([1.0, -1.0, 1.0])}
_LINE = {"index": Permutation(3)}
_MOMENTS = {"input": f(2, 3, 4)}


def _spatial(n: int, channels: int = 2, size: int = 5) -> Floats:
    return f(1, channels, *(size,) * n)


def _conv(n: int) -> dict[str, Any]:
    return {"input": _spatial(n, size=4), "weight": f(2, 2, *(2,) * n), "bias": f(2)}


def _unpool(n: int) -> dict[str, Any]:
    indices = np.arange(2**n).reshape(1, 1, *(2,) * n)
    return {"input": _spatial(n, channels=1, size=2), "indices": Fixed(indices)}


def _step(*more: str) -> dict[str, Any]:
    return {name: [SQUARE] for name in ("params", "grads", *more)}


ARGUMENTS: dict[str, dict[str, Any]] = {
    **{f"bitwise_{name}": _INTEGERS for name in ("and", "or", "xor", "not", "left_shift", "right_shift")},
    "gcd": _INTEGERS,
    "lcm": _INTEGERS,
    "floor_divide": {"input": f(3, 3, high=9.0), "other": f(3, 3, low=1.0, high=2.0)},
    "fmod": {"input": f(3, 3, low=2.1, high=2.9), "other": f(3, 3, low=1.1, high=1.3)},
    "remainder": {"input": f(3, 3, low=2.1, high=2.9), "other": f(3, 3, low=1.1, high=1.3)},
    "clamp": {"min": 0.3, "max": 0.6},
    "prod": {"dim": 0},  # with out= PyTorch has no other
    "acosh": {"input": f(3, 3, low=1.2, high=3.0)},
    "prelu": {"weight": f(1)},
    "glu": {"input": f(3, 4)},
    "bmm": {"input": f(2, 3, 3), "mat2": f(2, 3, 3)},
    "dot": _VECTORS,
    "vdot": _VECTORS,
    "outer": _VECTORS,
    "addmv": {"input": f(3)},
    "baddbmm": {"input": f(2, 3, 3)},
    "linear": {"bias": f(3)},
    "bilinear": {"input1": f(2, 3), "input2": f(2, 2), "weight": f(4, 3, 2), "bias": f(4)},
    "scaled_dot_product_attention.masked": {name: f(1, 2, 3, 4) for name in ("query", "key", "value")},
    "pow.tensor_scalar": {"exponent": 3},
    "pow.tensor_number": {"exponent": 1.7},
    "fill": {"value": 0.7},
    "nextafter": {"other": f(3, 3, low=2.0, high=3.0)},
    "nll_loss": _ROWS_BY_LABELS,
    "cross_entropy": _ROWS_BY_LABELS,
    "multi_margin_loss": _ROWS_BY_LABELS,
    "multilabel_margin_loss": {"target": Fixed([[0, 1, -1], [2, -1, -1], [1, 2, -1]])},
    "hinge_embedding_loss": {"target": SIGNS},
    "soft_margin_loss": {"target": SIGNS},
    "margin_ranking_loss": {"input1": f(3), "input2": f(3), **_CHOSEN_BY_SIGN},
    "cosine_embedding_loss": _CHOSEN_BY_SIGN,
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    "conv3d": _conv(3),
    "conv_transpose1d": _conv(1),
    "conv_transpose2d": _conv(2),
    "conv_transpose3d": _conv(3),
    "linalg_qr": {"A": f(4, 3)},
    "einsum": {"equation": "ij,jk->ik"},
    "tensordot": {"dims": 1},
    "embedding.rows": {"input": i(4), "weight": SQUARE},
    "index_select": _LINE,
    "index_add": _LINE,
    "index_copy": _LINE,
    "index_reduce": {**_LINE, "reduce": "mean"},
    "index_fill": {**_LINE, "value": 0.7},
    "scatter.src": {"index": Fixed([[0, 1, 2], [2, 0, 1], [1, 2, 0]])},
    "scatter.src_reduce": {"reduce": "add"},
    "scatter.value_reduce": {"reduce": "add"},
    "take": {"index": i(4, high=9)},
    "put": {"index": Fixed([[0, 5], [7, 2]]), "source": f(2, 2)},
    "masked_fill": {"value": 0.7},
    "index": {"indices": [i(4), i(4)]},
    "index_put.dims": {"indices": [Permutation(3), Permutation(3)], "values": f(3)},
    "batch_norm.train": _MOMENTS,
    "batch_norm.eval": _MOMENTS,
    "instance_norm.train": _MOMENTS,
    "instance_norm.eval": _MOMENTS,
    "native_layer_norm": {"weight": f(3), "bias": f(3), "eps": 1e-5},
    "group_norm": {"input": f(2, 4, 3), "num_groups": 2, "weight": f(4), "bias": f(4)},
    "native_group_norm": {
        "input": f(2, 4, 3),
        **{"weight": f(4), "bias": f(4), "N": 2, "C": 4, "HxW": 3, "group": 2, "eps": 1e-5},
    },
    "local_response_norm": {"input": f(2, 4, 3), "size": 2},
    "sgd_step": _step("momentum_buffers"),
    "adam_step": {**_step("exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs"), "steps": [Fixed(1.0)], "step_of": (0,)},
    "dropout.masked": {"p": 0.5},
    "alpha_dropout.masked": {"p": 0.5},
    **{f"max_pool{n}d": {"input": _spatial(n)} for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": {"input": _spatial(n)} for n in (1, 2, 3)},
    **{f"avg_pool{n}d": {"input": _spatial(n)} for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": {"input": _spatial(n)} for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d.indices": {"input": _spatial(n)} for n in (1, 2, 3)},
    **{f"lp_pool{n}d": {"input": _spatial(n), "norm_type": 3.0} for n in (1, 2, 3)},
    **{f"max_unpool{n}d": _unpool(n) for n in (1, 2, 3)},
    "unfold": {"input": _spatial(2, size=4)},
    "fold": {"input": f(1, 8, 4), "output_size": (3, 3)},
    "repeat": {"repeats": (2, 1)},
    "tile": {"dims": (2, 2)},
    "repeat_interleave.self_int": {"repeats": 2},
    "repeat_interleave.self_Tensor": {"repeats": Fixed([1, 2, 1]), "output_size": 4, "dim": 0},
    "cartesian_prod": {"tensors": [f(2), f(3)]},
    "combinations": {"input": f(4)},
    "one_hot": {"tensor": i(4), "num_classes": 4},
    "pixel_shuffle": {"input": f(1, 4, 2, 2), "upscale_factor": 2},
    "pixel_unshuffle": {"input": f(1, 1, 4, 4), "downscale_factor": 2},
    "channel_shuffle": {"input": f(1, 4, 2, 2), "groups": 2},
    "searchsorted": {"sorted_sequence": Fixed([0.1, 0.4, 0.8])},
    "bucketize": {"boundaries": Fixed([0.1, 0.4, 0.8])},
}
