"""What autograd refuses, and the words it uses: PyTorch's, which people search for.

Each refusal is a function of the torch module to run, the exception's class and its text. ``test_messages.py`` runs them
under torchish, ``test_engine_oracle.py`` under PyTorch itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)
NO_GRAD_FN = "element 0 of tensors does not require grad and does not have a grad_fn"
SCALAR = "grad can be implicitly created only for scalar outputs"
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
    "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or "
    "use `torch.no_grad()` instead of `torch.inference_mode()`."
)
INFERENCE_WRITTEN = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor "
    "before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)


def modified(what: str, made_by: str | None, version: int = 1, expected: int = 0) -> str:
    made = "" if made_by is None else f", which is output 0 of {made_by},"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{what}]{made} is at version {version}; expected version {expected} instead. Hint: enable anomaly "
        "detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def ambiguous_view(mode: str, how: str, block: str) -> str:
    return (
        f"A view was created in {mode} mode and is being modified inplace {how}. Given that this use case is ambiguous "
        "and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both "
        f"inside the {block} block (if you don't want the inplace to be tracked) or both outside (if you want the "
        "inplace to be tracked)."
    )


class Refusal(NamedTuple):
    name: str
    run: Callable[[Any], Any]
    error: type[Exception]
    text: str


REFUSALS: list[Refusal] = []


def refusal(text: str, error: type[Exception] = RuntimeError) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def add(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
        REFUSALS.append(Refusal(run.__name__, run, error, text))
        return run

    return add


def leaf(torch: Any, *size: int) -> Any:
    return torch.ones(*(size or (2,)), requires_grad=True)


# The graph


@refusal(FREED)
def second_backward(torch: Any) -> None:
    x = leaf(torch)
    y = (x * x).sum()
    y.backward()
    y.backward()


@refusal(FREED)
def second_backward_through_a_saved_result(torch: Any) -> None:
    y = leaf(torch).exp()
    y.sum().backward()
    y.sum().backward()


@refusal(FREED)
def grad_after_backward(torch: Any) -> None:
    x = leaf(torch)
    y = (x * x).sum()
    y.backward()
    torch.autograd.grad(y, x)


@refusal(modified("FloatTensor [2]", "Sigmoid"))
def saved_result_modified(torch: Any) -> None:
    y = leaf(torch).sigmoid()
    y.add_(1)
    y.sum().backward()


@refusal(modified("FloatTensor [2, 3]", "Zero"))
def saved_operand_modified(torch: Any) -> None:
    h = leaf(torch, 2, 3) * 1
    y = h @ leaf(torch, 3, 2)
    h.zero_()
    y.sum().backward()


@refusal(modified("FloatTensor [3, 2]", None))
def saved_leaf_modified(torch: Any) -> None:
    w = leaf(torch, 3, 2)
    y = leaf(torch, 2, 3) @ w
    with torch.no_grad():
        w.zero_()
    y.sum().backward()


@refusal(modified("DoubleTensor [2]", "Mul", version=2))
def saved_operand_modified_twice(torch: Any) -> None:
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    h = x * 1
    y = h * h
    h.add_(1)
    h.mul_(1)
    y.sum().backward()


@refusal(modified("FloatTensor [2]", "AsStrided"))
def saved_view_modified_through_its_base(torch: Any) -> None:
    y = leaf(torch, 3) * 2
    v = y[:2]
    z = (v * v).sum()
    y.add_(1)
    z.backward()


# In place


@refusal("a leaf Variable that requires grad is being used in an in-place operation.")
def leaf_in_place(torch: Any) -> None:
    leaf(torch).add_(1)


@refusal("a view of a leaf Variable that requires grad is being used in an in-place operation.")
def leaf_assigned(torch: Any) -> None:
    leaf(torch)[0] = 1


@refusal("a view of a leaf Variable that requires grad is being used in an in-place operation.")
def view_of_leaf_in_place(torch: Any) -> None:
    leaf(torch).view(2).add_(1)


@refusal(
    "Output 0 of Split is a view and is being modified inplace. This view is the output of a function that "
    "returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the "
    "inplace operation by an out-of-place one."
)
def one_of_several_views_in_place(torch: Any) -> None:
    (leaf(torch) * 1).split(1)[0].add_(1)


@refusal(ambiguous_view("no_grad", "with grad mode enabled", "no_grad"))
def view_made_under_no_grad_in_place(torch: Any) -> None:
    y = leaf(torch) * 1
    with torch.no_grad():
        v = y[0]
    v.add_(1)


@refusal(
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please "
    "clone() the tensor before performing the operation."
)
def expanded_in_place(torch: Any) -> None:
    torch.ones(3).expand(2, 3).add_(1)


@refusal(
    "add(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
    "grad."
)
def out_of_a_recorded_operation(torch: Any) -> None:
    torch.add(leaf(torch), 1, out=torch.ones(2))


@refusal(
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
    "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
    "these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py "
    "as the solution."
)
def view_detached_in_place(torch: Any) -> None:
    (leaf(torch) * 2).view(2).detach_()


# backward() and grad()


@refusal(SCALAR)
def backward_of_a_vector(torch: Any) -> None:
    leaf(torch).backward()


@refusal(SCALAR)
def grad_of_a_vector(torch: Any) -> None:
    x = leaf(torch)
    torch.autograd.grad(x * 2, x)


@refusal("grad can be implicitly created only for real scalar outputs but got torch.complex64")
def backward_of_a_complex_number(torch: Any) -> None:
    z = torch.tensor(1 + 2j, requires_grad=True)
    (z * z).backward()


@refusal(NO_GRAD_FN)
def backward_of_a_constant(torch: Any) -> None:
    torch.ones(2).sum().backward()


@refusal(NO_GRAD_FN)
def backward_of_what_no_grad_made(torch: Any) -> None:
    x = leaf(torch)
    with torch.no_grad():
        y = x * 2
    y.sum().backward()


@refusal(
    "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2])."
)
def cotangent_of_another_shape(torch: Any) -> None:
    (leaf(torch) * 2).backward(torch.ones(3))


@refusal("got 2 tensors and 1 gradients")
def too_few_cotangents(torch: Any) -> None:
    x = leaf(torch)
    torch.autograd.backward([x * 2, x * 3], [torch.ones(2)])


@refusal("`inputs` argument to `backward()` cannot be empty.")
def backward_to_no_inputs(torch: Any) -> None:
    (leaf(torch) * 2).sum().backward(inputs=[])


@refusal("`inputs` argument to `grad()` cannot be empty.")
def grad_of_no_inputs(torch: Any) -> None:
    torch.autograd.grad(leaf(torch).sum(), [])


@refusal(
    "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use "
    "`grad_tensors`."
)
def both_names_of_the_cotangents(torch: Any) -> None:
    one = torch.ones(())
    torch.autograd.backward(leaf(torch).sum(), grad_tensors=one, grad_variables=one)


@refusal("One of the differentiated Tensors does not require grad")
def grad_by_a_constant(torch: Any) -> None:
    torch.autograd.grad(leaf(torch).sum(), torch.ones(2))


@refusal(
    "The differentiated Tensor at index 1 appears to not have been used in the graph. Set allow_unused=True if this is "
    "the desired behavior."
)
def grad_by_an_unused_tensor(torch: Any) -> None:
    x = leaf(torch)
    torch.autograd.grad(x.sum(), (x, leaf(torch)))


@refusal(
    "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.",
    ValueError,
)
def materialised_but_not_allowed(torch: Any) -> None:
    x = leaf(torch)
    torch.autograd.grad(x.sum(), x, allow_unused=False, materialize_grads=True)


@refusal(
    "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes "
    "of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
    "grad_output[0] has a shape of torch.Size([]) and output[0] has a shape of torch.Size([2]). If you only want some "
    "tensors in `grad_output` to be considered batched, consider using vmap."
)
def batched_cotangents_of_another_shape(torch: Any) -> None:
    x = leaf(torch)
    torch.autograd.grad(x * 2, x, torch.ones(3, 3), is_grads_batched=True)


# Tensors


@refusal("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
def numpy_of_what_requires_grad(torch: Any) -> None:
    leaf(torch).numpy()


@refusal("Only Tensors of floating point and complex dtype can require gradients")
def integers_that_require_grad(torch: Any) -> None:
    torch.ones(3, dtype=torch.int64, requires_grad=True)


@refusal("Only Tensors of floating point and complex dtype can require gradients")
def integer_data_that_requires_grad(torch: Any) -> None:
    torch.tensor([1, 2], requires_grad=True)


@refusal("only Tensors of floating point dtype can require gradients")
def integers_told_to_require_grad(torch: Any) -> None:
    torch.ones(3, dtype=torch.int64).requires_grad_()


@refusal(
    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph "
    "that doesn't require differentiation use var_no_grad = var.detach()."
)
def flag_of_a_result(torch: Any) -> None:
    y = leaf(torch) * 2
    y.requires_grad = False


@refusal(
    "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure that the gradient and the "
    "tensor are the same size"
)
def grad_of_another_size(torch: Any) -> None:
    leaf(torch).grad = torch.ones(3)


@refusal(
    "attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'. The gradient must match the "
    "tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific "
    "dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient "
    "may break downstream systems that assume they match."
)
def grad_of_another_dtype(torch: Any) -> None:
    leaf(torch).grad = torch.ones(2, dtype=torch.float64)


@refusal("assigned grad expected to be a Tensor or None but got grad of type int", TypeError)
def grad_that_is_no_tensor(torch: Any) -> None:
    leaf(torch).grad = 3


@refusal("can't assign Variable as its own grad")
def grad_of_itself(torch: Any) -> None:
    x = leaf(torch)
    x.grad = x


@refusal(
    "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you "
    "were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
    "https://github.com/pytorch/pytorch/pull/103001"
)
def copy_of_a_result(torch: Any) -> None:
    import copy

    copy.deepcopy(leaf(torch) * 2)


# Hooks


@refusal("cannot register a hook on a tensor that doesn't require gradient")
def hook_of_a_constant(torch: Any) -> None:
    torch.ones(2).register_hook(print)


@refusal("cannot register a hook on a tensor that doesn't require gradient")
def post_accumulate_hook_of_a_constant(torch: Any) -> None:
    torch.ones(2).register_post_accumulate_grad_hook(print)


@refusal("post accumulate grad hooks cannot be registered on non-leaf tensors")
def post_accumulate_hook_of_a_result(torch: Any) -> None:
    (leaf(torch) * 2).register_post_accumulate_grad_hook(print)


@refusal("can't retain_grad on Tensor that has requires_grad=False")
def retained_gradient_of_a_constant(torch: Any) -> None:
    torch.ones(2).retain_grad()


def backward_with_hook(torch: Any, hook: Callable[[Any], Any]) -> None:
    x = leaf(torch)
    x.register_hook(hook)
    x.sum().backward()


@refusal("hook 'larger' has changed the size of value")
def hook_that_changes_the_size(torch: Any) -> None:
    def larger(g: Any) -> Any:
        return torch.ones(3)

    backward_with_hook(torch, larger)


@refusal("hook 'wider' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)")
def hook_that_changes_the_type(torch: Any) -> None:
    def wider(g: Any) -> Any:
        return g.double()

    backward_with_hook(torch, wider)


@refusal("expected Variable, but hook returned 'int'", TypeError)
def hook_that_returns_a_number(torch: Any) -> None:
    backward_with_hook(torch, lambda g: 5)


@refusal("hook 'doubled' has returned an incorrect number of values (got 4, but expected 2)")
def node_hook_that_returns_too_much(torch: Any) -> None:
    def doubled(grad_inputs: Any, grad_outputs: Any) -> Any:
        return grad_inputs * 2

    y = leaf(torch) * 2
    y.grad_fn.register_hook(doubled)
    y.sum().backward()


# Inference mode


def inference_ones(torch: Any, *size: int) -> Any:
    with torch.inference_mode():
        return torch.ones(*(size or (2,)))


@refusal(INFERENCE_SAVED)
def inference_tensor_saved_by_a_product(torch: Any) -> None:
    leaf(torch) * inference_ones(torch)


@refusal(INFERENCE_SAVED)
def inference_tensor_saved_by_a_matrix_product(torch: Any) -> None:
    leaf(torch, 2, 2) @ inference_ones(torch, 2, 2)


@refusal(INFERENCE_WRITTEN)
def inference_tensor_in_place(torch: Any) -> None:
    inference_ones(torch).add_(1)


@refusal(INFERENCE_WRITTEN)
def inference_tensor_assigned(torch: Any) -> None:
    inference_ones(torch)[0] = 1


@refusal(INFERENCE_WRITTEN)
def view_of_an_inference_tensor_in_place(torch: Any) -> None:
    inference_ones(torch)[0].mul_(2)


@refusal(INFERENCE_WRITTEN)
def inference_tensor_as_out(torch: Any) -> None:
    torch.add(torch.ones(2), 1, out=inference_ones(torch))


@refusal(INFERENCE_WRITTEN)
def inference_tensor_copied_into(torch: Any) -> None:
    inference_ones(torch).copy_(torch.zeros(2))


@refusal("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
def inference_tensor_that_requires_grad(torch: Any) -> None:
    inference_ones(torch).requires_grad_()


@refusal("Inference tensors do not track version counter.")
def version_of_an_inference_tensor(torch: Any) -> None:
    inference_ones(torch)._version  # noqa: B018


@refusal(ambiguous_view("inference", "in normal mode", "inference_mode"))
def view_made_in_inference_mode_in_place(torch: Any) -> None:
    y = leaf(torch) * 1
    with torch.inference_mode():
        v = y[0]
    v.add_(1)
