"""Holds one operator against PyTorch's own database of operators: values, gradients, forms, errors.

``CHECKS`` has the checks by name. Each takes an operator's record and a dtype, raises where torchish and PyTorch
differ, and returns how many samples it compared: 0 where PyTorch's operator has no such thing.
"""

from __future__ import annotations

import contextlib
import math
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from translation import NoCounterpart, Translator, array_of, counterpart, leaves, name_of, over_torchish, to_array

import torchish

# Numbers that the two draw differently here (no seed is set), and tensors whose data nobody promises.
WITHOUT_VALUES = frozenset(
    """
    bernoulli cauchy empty empty_like empty_permuted empty_strided exponential geometric log_normal multinomial new_empty
    new_empty_strided normal rand_like randint randint_like randn randn_like randperm uniform svd_lowrank pca_lowrank
    nn.functional.alpha_dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d
    nn.functional.feature_alpha_dropout nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool3d
    nn.functional.rrelu
    """.split()
)
# Factors that are unique but for signs, order or phase: their values are held by the decompositions' own tests.
UP_TO_GAUGE = frozenset("linalg.svd svd linalg.eig linalg.eigh linalg.qr qr geqrf linalg.lu_factor_ex".split())

TOLERANCE = {"float16": 2e-2, "bfloat16": 3e-2, "float32": 2e-4, "complex64": 2e-4, "float64": 1e-7, "complex128": 1e-7}
GRADIENT_TOLERANCE = {"float32": 2e-3, "complex64": 2e-3}

# Not PyTorch's public operators, or of layouts and dtypes that torchish does not have.
OPERATORS = [
    op
    for op in op_db
    if not op.name.startswith(("torch.ops.", "jiterator"))
    and "sparse" not in op.name
    and op.name != "chalf"
    and op.variant_test_name != "partial_views"
]


def label(op: Any) -> str:
    """``linalg.pinv.hermitian``: an operator and its variant."""
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def spread(things: Sequence[Any], n: int) -> Sequence[Any]:
    """``n`` of them (0: all), evenly from the list: the later samples are the stranger ones."""
    if not n or len(things) <= n:
        return things
    return [things[int(i * len(things) / n)] for i in range(n)]


def samples(op: Any, dtype: torch.dtype, n: int, requires_grad: bool = False) -> Sequence[Any]:
    torch.manual_seed(0)
    return spread(list(op.sample_inputs("cpu", dtype, requires_grad=requires_grad)), n)


def same_draws() -> None:
    """The seed that PyTorch's database sets before it calls attention, whose dropout then drops the same."""
    torchish.manual_seed(42)


def _parts(sample: Any) -> tuple[Any, tuple, dict]:
    return sample.input, sample.args, sample.kwargs


def forward(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same structure, shapes, dtypes and values."""
    function, ran = counterpart(op.op, op.name), 0
    for sample in samples(op, dtype, n):
        x, args, kwargs = Translator()(_parts(sample))
        same_draws()
        wanted = op(sample.input, *sample.args, **sample.kwargs)
        same(function(x, *args, **kwargs), wanted, values=op.name not in WITHOUT_VALUES | UP_TO_GAUGE)
        ran += 1
    return ran


def backward(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same gradients for the same cotangents."""
    return _gradients(op, dtype, n, 1) if op.supports_autograd else 0


def gradgrad(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same gradients of these gradients."""
    return _gradients(op, dtype, n, 2) if op.supports_gradgrad else 0


def inplace(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same in the tensor itself, which is returned."""
    name = getattr(op.inplace_variant, "__name__", "")
    if not name.endswith("_") or not hasattr(torch.Tensor, name) or op.name in WITHOUT_VALUES:
        return 0
    ran = 0
    for sample in samples(op, dtype, n):
        x, args, kwargs = Translator()(_parts(sample))
        try:
            wanted = op.inplace_variant(sample.input.clone(), *sample.args, **sample.kwargs)
        except (RuntimeError, TypeError, IndexError, NotImplementedError):
            continue  # not every sample of the operator fits into its input
        assert getattr(x, name)(*args, **kwargs) is x, "an in-place operation returns its own tensor"
        same(x, wanted)
        ran += 1
    return ran


def out(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same through ``out=``."""
    if not op.supports_out or op.name in WITHOUT_VALUES | UP_TO_GAUGE:
        return 0
    function, ran = counterpart(op.op, op.name), 0
    for sample in samples(op, dtype, n):
        wanted = op(sample.input, *sample.args, **sample.kwargs)
        if isinstance(wanted, torch.Tensor):
            x, args, kwargs = Translator()(_parts(sample))
            given = Translator()(torch.zeros_like(wanted))
            function(x, *args, out=given, **kwargs)
            same(given, wanted)
            ran += 1
    return ran


def errors(op: Any, dtype: torch.dtype, n: int) -> int:
    """The same class of exception for each wrong input that the database knows. ``n`` is not used."""
    if op.error_inputs_func is None or dtype != torch.float32:
        return 0
    function, ran, cases = counterpart(op.op, op.name), 0, []
    # All before PyTorch has seen any: cases share tensors, and a call that it refuses may have resized its out= already.
    for case in op.error_inputs("cpu"):
        with contextlib.suppress(NoCounterpart):
            cases.append((case, Translator(share_memory=True)(_parts(case.sample_input))))
    for case, (x, args, kwargs) in cases:
        sample = case.sample_input
        try:
            op(sample.input, *sample.args, **sample.kwargs)
        except case.error_type:
            pass
        except Exception:
            continue  # an error of the database's case, not the one that it is about
        else:
            continue
        try:
            for result in leaves(function(x, *args, **kwargs)):
                if isinstance(result, torchish.Tensor):
                    array_of(result)  # some errors are about data, and come when it is read
        except case.error_type:
            ran += 1
        else:
            raise AssertionError(f"accepts what PyTorch refuses: {case.error_regex}")
    return ran


CHECKS: dict[str, Callable[[Any, torch.dtype, int], int]] = {
    f.__name__: f for f in (forward, backward, gradgrad, inplace, out, errors)
}


def applies(op: Any, dtype: torch.dtype, check: str) -> bool:
    """Whether PyTorch's operator has this check in this dtype, as far as its record says."""
    if check in ("backward", "gradgrad"):
        return dtype in op.backward_dtypes and (dtype.is_floating_point or dtype.is_complex)
    return dtype in op.dtypes


# Comparing


def same(got: Any, wanted: Any, values: bool = True, tolerance: dict[str, float] = TOLERANCE) -> None:
    mine, theirs = list(leaves(got)), list(leaves(wanted))
    assert len(mine) == len(theirs), f"{len(mine)} results, PyTorch gives {len(theirs)}"
    for a, b in zip(mine, theirs, strict=True):
        if isinstance(b, torch.Tensor):
            same_tensor(a, b, values, tolerance)
        elif isinstance(b, (float, complex)):
            both_nan = math.isnan(abs(a)) and math.isnan(abs(b))
            assert a == b or both_nan or abs(a - b) <= 1e-5 * max(1.0, abs(b)), f"{a!r}, PyTorch gives {b!r}"
        elif isinstance(b, (bool, int, str, type(None))):
            assert a == b, f"{a!r}, PyTorch gives {b!r}"


def same_tensor(a: Any, b: torch.Tensor, values: bool, tolerance: dict[str, float]) -> None:
    assert isinstance(a, torchish.Tensor), f"{type(a).__name__} where PyTorch gives a Tensor"
    assert tuple(a.shape) == tuple(b.shape), f"shape {tuple(a.shape)}, PyTorch gives {tuple(b.shape)}"
    assert name_of(a.dtype) == name_of(b.dtype), f"dtype {a.dtype}, PyTorch gives {b.dtype}"
    if not values:
        return
    x, y = array_of(a), to_array(b)
    within = tolerance.get(name_of(b.dtype), TOLERANCE.get(name_of(b.dtype), 0.0))
    if not np.allclose(x, y, rtol=within, atol=within, equal_nan=True):
        with np.errstate(all="ignore"):
            apart = np.nanmax(np.abs(x.astype(complex) - y)) if y.size else 0.0
        raise AssertionError(f"values differ, by at most {apart:.3g}")


# Gradients


def _differentiable(results: Any, tensor: type) -> list[Any]:
    return [r for r in leaves(results) if isinstance(r, tensor) and r.requires_grad]


def _cotangents(outputs: Sequence[torch.Tensor], seed: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    made = []
    for t in outputs:
        data = rng.standard_normal(tuple(t.shape))
        if t.dtype.is_complex:
            data = data + 1j * rng.standard_normal(tuple(t.shape))
        made.append(torch.tensor(data, dtype=t.dtype))
    return made


def _pairs(sample: Any, translator: Translator) -> Iterator[tuple[torch.Tensor, Any]]:
    seen = set()
    for x in leaves(_parts(sample)):
        if isinstance(x, torch.Tensor) and x.requires_grad and id(x) not in seen:
            seen.add(id(x))
            yield x, translator(x)


def _gradients(op: Any, dtype: torch.dtype, n: int, order: int) -> int:
    if op.name in WITHOUT_VALUES:
        return 0
    function, ran = counterpart(op.op, op.name), 0
    for sample in samples(op, dtype, n, requires_grad=True):
        translator = Translator(requires_grad=True)
        x, args, kwargs = translator(_parts(sample))
        pairs = list(_pairs(sample, translator))
        same_draws()
        wanted = op(sample.input, *sample.args, **sample.kwargs)
        process = sample.output_process_fn_grad
        if process is not None:
            wanted = process(wanted)
        theirs = _differentiable(wanted, torch.Tensor)
        if not theirs:
            continue
        got = function(x, *args, **kwargs)
        if process is not None:
            got = (over_torchish(process) if isinstance(process, types.FunctionType) else process)(got)
        mine = _differentiable(got, torchish.Tensor)
        assert len(mine) == len(theirs), f"{len(mine)} differentiable results, PyTorch gives {len(theirs)}"
        _compare_gradients(mine, theirs, pairs, order)
        ran += 1
    return ran


def _compare_gradients(
    mine: Sequence[Any], theirs: Sequence[torch.Tensor], pairs: Sequence[tuple[Any, Any]], order: int
) -> None:
    their_inputs, my_inputs = [a for a, _ in pairs], [b for _, b in pairs]
    cotangents = _cotangents(theirs, order)
    again = {"allow_unused": True, "create_graph": order > 1}
    try:
        wanted = torch.autograd.grad(theirs, their_inputs, cotangents, **again)
    except (RuntimeError, NotImplementedError):
        return  # PyTorch has no such gradient itself
    got = torchish.autograd.grad(mine, my_inputs, Translator()(cotangents), **again)
    for a, b in zip(got, wanted, strict=True):
        _same_gradient(a, b)
    if order > 1:
        onward = [k for k, t in enumerate(wanted) if t is not None and t.requires_grad]
        if onward:
            second = ([got[k] for k in onward], [wanted[k] for k in onward])
            assert all(t is not None and t.requires_grad for t in second[0]), "a gradient has no gradient"
            _compare_gradients(*second, pairs, order - 1)


def _same_gradient(a: Any, b: Any) -> None:
    if a is None or b is None:
        other = array_of(a) if a is not None else to_array(b) if b is not None else np.zeros(())
        assert not np.any(other), "a gradient is None on one side alone"
    else:
        same(a, b, tolerance=GRADIENT_TOLERANCE)
