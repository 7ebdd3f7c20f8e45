"""Small programs with hooks; each gives what it saw as plain lists, so that backends can be compared.

``test_hooks.py`` holds them against what is expected, ``test_engine_oracle.py`` against PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}
EXPECTED: dict[str, Any] = {}


def program(expected: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def add(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
        PROGRAMS[run.__name__] = run
        EXPECTED[run.__name__] = expected
        return run

    return add


def plain(x: Any) -> Any:
    """Tensors as lists, inside tuples and lists too."""
    if isinstance(x, (tuple, list)):
        return [plain(y) for y in x]
    return x.tolist() if hasattr(x, "tolist") else x


def leaf(torch: Any, value: float = 1.0) -> Any:
    return torch.full((2,), value, requires_grad=True)


@program([["first", [1.0, 1.0]], ["second", [10.0, 10.0]], [20.0, 20.0]])
def tensor_hooks_run_in_order_each_on_what_the_last_gave(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: (log.append(["first", plain(g)]), g * 10)[1])
    y.register_hook(lambda g: log.append(["second", plain(g)]))
    y.sum().backward()
    return [*log, plain(x.grad)]


@program(["tensor", "pre", "post", "leaf", "post accumulate"])
def hooks_of_every_kind_have_their_place(torch: Any) -> Any:
    log: list[str] = []
    x = leaf(torch)
    x.register_post_accumulate_grad_hook(lambda p: log.append("post accumulate"))
    x.register_hook(lambda g: log.append("leaf"))
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: log.append("post"))
    y.grad_fn.register_prehook(lambda go: log.append("pre"))
    y.register_hook(lambda g: log.append("tensor"))
    y.sum().backward()
    return log


@program([[10.0, 10.0], [60.0, 60.0]])
def a_retained_gradient_is_seen_after_tensor_hooks_and_before_node_hooks(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.grad_fn.register_prehook(lambda go: (go[0] * 3,))
    y.sum().backward()
    return plain([y.grad, x.grad])


@program([[[[2.0, 2.0], None], [[1.0, 1.0]]], [14.0, 14.0]])
def node_hooks_see_a_place_for_each_operand(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (log.append([plain(gi), plain(go)]), (gi[0] * 7, None))[1])
    y.sum().backward()
    return [*log, plain(x.grad)]


@program([[[[3.0, 3.0], [1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0]]]])
def node_hooks_see_every_gradient(torch: Any) -> Any:
    log: list[Any] = []
    x, w, v = leaf(torch), leaf(torch), leaf(torch)
    y = torch.addcmul(x * 3, w, v)
    y.grad_fn.register_hook(lambda gi, go: log.append([plain((gi[0] * 3, *gi[1:])), plain(go)]))
    y.sum().backward()
    return log


@program(["one", "two", "two"])
def a_removed_hook_is_gone(torch: Any) -> Any:
    log: list[str] = []
    x = leaf(torch)
    handle = x.register_hook(lambda g: log.append("one"))
    x.register_hook(lambda g: log.append("two"))
    (x * 1).sum().backward()
    handle.remove()
    handle.remove()
    (x * 1).sum().backward()
    return log


@program([[4.0, 4.0], [6.0, 6.0]])
def a_handle_is_a_context(torch: Any) -> Any:
    x = leaf(torch)
    with x.register_hook(lambda g: g * 2):
        (x * 2).sum().backward()
    first = plain(x.grad)
    (x * 2).sum().backward()
    return [first, plain(x.grad)]


@program(["one", "two", "two"])
def a_hook_may_remove_a_hook(torch: Any) -> Any:
    log: list[str] = []
    x = leaf(torch)
    handle = x.register_hook(lambda g: log.append("one"))
    x.register_hook(lambda g: (log.append("two"), handle.remove())[1])
    (x * 1).sum().backward()
    (x * 1).sum().backward()
    return log


@program([[30.0, 30.0], ["result", "leaf"], None])
def grad_runs_tensor_hooks_but_accumulates_nothing(torch: Any) -> Any:
    log: list[str] = []
    x = leaf(torch)
    y = x * 2
    x.register_hook(lambda g: (log.append("leaf"), g * 3)[1])
    x.register_post_accumulate_grad_hook(lambda p: log.append("never"))
    y.register_hook(lambda g: (log.append("result"), g * 5)[1])
    (g,) = torch.autograd.grad(y.sum(), x)
    return [plain(g), log, x.grad]


@program([[5.0, 5.0], ["hook"]])
def what_grad_captures_has_passed_the_tensor_hooks_alone(torch: Any) -> Any:
    log: list[str] = []
    y = leaf(torch) * 2
    y.register_hook(lambda g: (log.append("hook"), g * 5)[1])
    y.grad_fn.register_prehook(lambda go: log.append("never"))
    (g,) = torch.autograd.grad(y.sum(), y)
    return [plain(g), log]


@program([3.0, 3.0])
def grad_fills_retained_gradients(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    torch.autograd.grad((y * 3).sum(), x)
    return plain(y.grad)


@program([[3.0, 3.0], None])
def inputs_may_lie_inside_the_graph(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    (y * 3).sum().backward(inputs=[y])
    return [plain(y.grad), x.grad]


@program([[2.0, 2.0], [4.0, 4.0]])
def retained_gradients_accumulate(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    z = (y * 2).sum()
    z.backward(retain_graph=True)
    first = plain(y.grad)
    z.backward()
    return [first, plain(y.grad)]


@program([[12.0, 12.0], ["after", [1.0, 1.0]]])
def hooks_before_and_after_an_in_place_change(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.mul_(3)
    y.register_hook(lambda g: log.extend(["after", plain(g)]))
    y.sum().backward()
    return [plain(x.grad), log]


@program([[6.0, 6.0], [1.0, 1.0]])
def retain_grad_follows_an_in_place_change(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return plain([x.grad, y.grad])


@program([[0.5, 0.5], None])
def an_optimizer_step_inside_a_hook(torch: Any) -> Any:
    x = leaf(torch)

    def step(p: Any) -> None:
        with torch.no_grad():
            p.sub_(p.grad * 0.25)
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    return [plain(x.detach()), x.grad]


@program([["pre", [[2.0, 2.0]]], ["post", [], [[2.0, 2.0]]]])
def a_leafs_own_node_has_hooks_too(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    y = x * 2
    accumulate = y.grad_fn.next_functions[0][0]
    accumulate.register_hook(lambda gi, go: log.append(["post", plain(gi), plain(go)]))
    accumulate.register_prehook(lambda go: log.append(["pre", plain(go)]))
    y.sum().backward()
    return log


@program([[False, False], [True, True], [12.0, 12.0]])
def hooks_record_only_for_higher_orders(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    y = x**3
    y.register_hook(lambda g: log.append([torch.is_grad_enabled(), (g * x).requires_grad]))
    torch.autograd.grad(y.sum(), x, retain_graph=True)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad((g * 2).sum(), x)
    return [*log, plain(h)]


@program([["a", None], [[0.0, 0.0], [1.0, 1.0]], [[[[0.0, 0.0], [1.0, 1.0]]], [None, [1.0, 1.0]]]])
def a_result_without_gradient_shows_none(torch: Any) -> Any:
    log: list[Any] = []
    x = torch.ones(2, 2, requires_grad=True)
    a, b = x.unbind(0)
    a.register_hook(lambda g: log.append(["a", g]))
    a.grad_fn.register_hook(lambda gi, go: log.append([plain(gi), plain(go)]))
    b.sum().backward()
    return [log[0], plain(x.grad), log[1]]


@program(["out", "w2", "p w2", "hidden", "w1", "p w1"])
def a_leaf_is_done_before_the_nodes_further_down(torch: Any) -> Any:
    log: list[str] = []
    w1, w2 = leaf(torch), leaf(torch)
    for name, w in (("w1", w1), ("w2", w2)):
        w.register_hook(lambda g, name=name: log.append(name))
        w.register_post_accumulate_grad_hook(lambda p, name=name: log.append("p " + name))
    hidden = (w1 * 2).tanh()
    hidden.register_hook(lambda g: log.append("hidden"))
    out = hidden * w2
    out.register_hook(lambda g: log.append("out"))
    out.sum().backward()
    return log


@program([[6.0, 6.0], [5.0, 5.0]])
def a_hook_on_a_leaf_used_twice_sees_the_sum(torch: Any) -> Any:
    log: list[Any] = []
    x = leaf(torch)
    x.register_hook(lambda g: (log.append(plain(g)), g + 1)[1])
    (x * 2 + x * 3).sum().backward()
    return [plain(x.grad), *log]


@program([[1.0, 1.0], [2.0, 2.0]])
def a_cotangent_is_not_the_gradient_itself(torch: Any) -> Any:
    x = leaf(torch)
    cotangent = torch.ones(2)
    x.backward(cotangent)
    x.backward(cotangent)
    return plain([cotangent, x.grad])


@program([[2.0, 2.0], [8.0, 8.0]])
def what_a_hook_returns_is_not_the_gradient_itself(torch: Any) -> Any:
    fixed = torch.full((2,), 2.0)
    x = leaf(torch)
    x.register_hook(lambda g: fixed)
    x.sum().backward()
    x.grad.mul_(4)
    return plain([fixed, x.grad])
