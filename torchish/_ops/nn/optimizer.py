"""Optimizer steps and gradient clipping: one op for all parameters of a group, their state included.

Each op takes lists in the same order and gives one tuple: the new parameters, then the new state, list by
list. Hyperparameters are numbers at run time, so that a schedule does not recompile; whether a term is there
at all (weight decay, momentum) is static, for PyTorch leaves it out rather than adding zero times it.
Arithmetic on float16 and bfloat16 is done in float32 and rounded when stored.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..registry import Number, Tensor, Tensors, op

_LOW_PRECISION = (np.dtype(np.float16), np.dtype(jnp.bfloat16))


def _widened(x: Tensor) -> Tensor:
    return x.astype(jnp.float32) if x.dtype in _LOW_PRECISION else x


def _scalar(number: Number, like: Tensor) -> Tensor:
    """A number, or a one-element tensor, as a 0-d array of the real dtype that ``like`` computes in."""
    return jnp.reshape(jnp.asarray(number), ()).astype(jnp.real(like).dtype)


@op(namespaces=(), differentiable=False)
def sgd_step(
    params: Tensors,
    grads: Tensors,
    momentum_buffers: Tensors,
    *,
    lr: Tensor | Number,
    momentum: Tensor | Number,
    gradient_weight: Tensor | Number,
    weight_decay: Tensor | Number,
    nesterov: bool,
    maximize: bool,
    has_weight_decay: bool,
) -> tuple[Tensor, ...]:
    """Stochastic gradient descent: new parameters, then new momentum buffers.

    ``momentum_buffers`` is empty where there is no momentum. ``gradient_weight`` is 1 - dampening, and 1 in a
    parameter's first step, whose buffer (zeros) thereby becomes the gradient itself.
    """
    new_params, new_buffers = [], []
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        p, g = _widened(param), _widened(grad)
        if maximize:
            g = -g
        if has_weight_decay:
            g = g + p * _scalar(weight_decay, p)
        if momentum_buffers:
            given = momentum_buffers[i]
            buffer = _widened(given) * _scalar(momentum, p) + g * _scalar(gradient_weight, p)
            new_buffers.append(buffer.astype(given.dtype))
            g = g + buffer * _scalar(momentum, p) if nesterov else buffer
        new_params.append((p - g * _scalar(lr, p)).astype(param.dtype))
    return (*new_params, *new_buffers)


def _vector_norm(x: Tensor, norm_type: float) -> Tensor:
    size = jnp.abs(_widened(x))
    if size.size == 0:
        return jnp.zeros((), size.dtype)
    if norm_type == float("inf"):
        return jnp.max(size)
    if norm_type == float("-inf"):
        return jnp.min(size)
    if norm_type == 0:
        return jnp.sum(size != 0).astype(size.dtype)
    if norm_type == 2:
        return jnp.sqrt(jnp.sum(jnp.square(size)))
    return jnp.sum(size**norm_type) ** (1 / norm_type)


@op(namespaces=(), differentiable=False)
def total_norm(tensors: Tensors, *, norm_type: float) -> Tensor:
    """The p-norm of the tensors' p-norms: but for p = 0, that of all of them as one vector. A 0-d tensor.

    Its dtype is the tensors' common one, real.
    """
    dtype = jnp.real(jnp.zeros((), jnp.result_type(*tensors))).dtype
    norms = [_vector_norm(x, norm_type).astype(jnp.real(x).dtype) for x in tensors]
    return _vector_norm(jnp.stack([norm.astype(dtype) for norm in norms]), norm_type).astype(dtype)


@op(namespaces=(), differentiable=False)
def scale_to_norm(grads: Tensors, max_norm: Tensor | Number, total_norm: Tensor | Number) -> tuple[Tensor, ...]:
    """The gradients times ``max_norm / (total_norm + 1e-6)``, where that is below 1.

    The minimum is taken here, so that nothing is read back to decide. A NaN in the norm goes into all.
    """
    factor = jnp.minimum(max_norm / (total_norm + 1e-6), 1.0)
    return tuple((_widened(g) * _scalar(factor, _widened(g))).astype(g.dtype) for g in grads)


def _as_real(x: Tensor) -> Tensor:
    """A complex array as pairs of reals, which is how Adam sees it."""
    return jnp.stack([x.real, x.imag], axis=-1) if jnp.iscomplexobj(x) else _widened(x)


def _as_given(x: Tensor, like: Tensor) -> Tensor:
    return lax.complex(x[..., 0], x[..., 1]) if jnp.iscomplexobj(like) else x.astype(like.dtype)


@op(namespaces=(), differentiable=False)
def adam_step(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors,
    steps: Tensors,
    *,
    lr: Tensor | Number,
    beta1: Tensor | Number,
    beta2: Tensor | Number,
    eps: Tensor | Number,
    weight_decay: Tensor | Number,
    step_of: tuple[int, ...],
    decoupled: bool,
    maximize: bool,
    has_weight_decay: bool,
) -> tuple[Tensor, ...]:
    """Adam and AdamW: new parameters, first moments, second moments, their maxima (AMSGrad) and step counts.

    ``max_exp_avg_sqs`` is empty without AMSGrad. ``steps`` holds 0-dim floats, how many steps were taken before, and
    ``step_of`` says for each parameter which of them is its own: most often all have the same.
    ``decoupled`` is AdamW's weight decay, of the parameter and not of the gradient.
    """
    rate, first, second = (jnp.reshape(jnp.asarray(x), ()).astype(jnp.float64) for x in (lr, beta1, beta2))
    decay = jnp.reshape(jnp.asarray(weight_decay), ()).astype(jnp.float64)
    new_steps = [step + 1 for step in steps]
    # PyTorch computes these in Python: double precision.
    counts = [step.astype(jnp.float64) for step in new_steps]
    corrections = [(1 - first**count, jnp.sqrt(1 - second**count)) for count in counts]
    lists: tuple[list[Tensor], ...] = ([], [], [], [])
    for i, given in enumerate(params):
        p, g, m, v = (_as_real(x[i]) for x in (params, grads, exp_avgs, exp_avg_sqs))
        correction1, correction2_sqrt = corrections[step_of[i]]
        if maximize:
            g = -g
        if has_weight_decay and decoupled:
            p = p * _scalar(1 - rate * decay, p)
        elif has_weight_decay:
            g = g + p * _scalar(decay, p)
        m = m + (g - m) * _scalar(1 - first, p)
        v = v * _scalar(second, p) + g * g * _scalar(1 - second, p)
        largest = v
        if max_exp_avg_sqs:
            largest = jnp.maximum(_as_real(max_exp_avg_sqs[i]), v)
            lists[3].append(_as_given(largest, max_exp_avg_sqs[i]))
        # eps is added after the bias correction.
        denominator = jnp.sqrt(largest) / _scalar(correction2_sqrt, p) + _scalar(eps, p)
        p = p - _scalar(rate / correction1, p) * (m / denominator)
        lists[0].append(_as_given(p, given))
        lists[1].append(_as_given(m, exp_avgs[i]))
        lists[2].append(_as_given(v, exp_avg_sqs[i]))
    return tuple(x for results in (*lists, new_steps) for x in results)
