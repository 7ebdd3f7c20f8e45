"""Arguments of what networks use besides layers: interpolation, sampling of grids, sequences, bags, random pools."""

from __future__ import annotations

from typing import Any

from .values import Fixed, f, i

_IMAGE = f(1, 2, 4, 5)
_GRID = f(1, 3, 2, 2, low=-0.9, high=0.9)
_NORM = {"input": f(2, 3, 4), "weight": f(3), "bias": f(3), "running_mean": f(3), "running_var": f(3)}


def _cell(gates: int) -> dict[str, Any]:
    """A cell of three features and as many hidden ones."""
    weights = {"w_ih": f(3 * gates, 3), "w_hh": f(3 * gates, 3), "b_ih": f(3 * gates), "b_hh": f(3 * gates)}
    return {"input": f(3, 3), "hx": f(3, 3), **weights}


ARGUMENTS: dict[str, dict[str, Any]] = {
    "interpolate.nearest": {"input": _IMAGE, "output_size": (8, 7)},
    "interpolate.linear": {"input": _IMAGE, "output_size": (8, 7)},
    "interpolate.cubic": {"input": _IMAGE, "output_size": (8, 7)},
    "interpolate.antialiased": {"input": _IMAGE, "output_size": (3, 2)},
    "grid_sampler_2d": {
        "input": _IMAGE,
        "grid": _GRID,
        **{"interpolation_mode": 0, "padding_mode": 0, "align_corners": False},
    },
    "grid_sampler_3d": {
        "input": f(1, 2, 3, 4, 5),
        "grid": f(1, 2, 2, 2, 3, low=-0.9, high=0.9),
        **{"interpolation_mode": 0, "padding_mode": 0, "align_corners": False},
    },
    "affine_grid_generator": {"theta": f(1, 2, 3), "size": (1, 1, 2, 3), "align_corners": False},
    "ctc_loss.batch": {
        "log_probs": f(4, 2, 3, low=-2.0, high=-0.5),
        "targets": Fixed([[1, 2], [1, 1]]),
        "input_lengths": Fixed([4, 3]),
        "target_lengths": Fixed([2, 2]),
        "most_labels": 2,
    },
    "embedding_bag.forward": {
        "weight": f(4, 3),
        "indices": i(5, high=4),
        "offsets": Fixed([0, 2]),
        "per_sample_weights": f(5),
    },
    "embedding_renorm": {"input": f(4, 3), "indices": Fixed([0, 2]), "norm_type": 2.0},
    "conv_tbc": {"input": f(4, 2, 3), "weight": f(2, 3, 5), "bias": f(5)},
    "rrelu.mean": {"slope": 0.2},
    "rrelu.noise": {"input": f(3, 3, low=-1.0), "slopes": f(9)},
    "native_dropout_backward": {"scale": 2.0},
    "native_dropout.masked": {"scale": 2.0},
    "fractional_max_pool2d.indices": {"input": _IMAGE, "samples": f(1, 2, 2)},
    "fractional_max_pool3d.indices": {"input": f(1, 2, 4, 5, 6), "samples": f(1, 2, 3)},
    "native_batch_norm.train": _NORM,
    "recurrent.layer": {
        "input": f(4, 2, 3),
        "state": [f(2, 3), f(2, 3)],
        "weights": [f(12, 3), f(12, 3), f(12), f(12)],
        "lengths": Fixed([4, 2]),
        **{"mode": "lstm", "biases": True, "reverse": True},
    },
    "rnn_tanh_cell": _cell(1),
    "rnn_relu_cell": _cell(1),
    "gru_cell": _cell(3),
    "lstm_cell": {**_cell(4), "hx": [f(3, 3), f(3, 3)]},
    "_softmax_backward_data": {"input_dtype": None},
}
