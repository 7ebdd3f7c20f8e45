"""Programs of in-place operations, hooks and views that print the same under PyTorch."""

from __future__ import annotations

from types import ModuleType

import pytest

import torchish as torch

JUDGED = {
    "hooks on what is changed in place": """
x = torch.ones(3, requires_grad=True)
y = x * 2
y.register_hook(lambda g: print("y", g))
y.mul_(3)
y[0].mul_(2)
y.register_hook(lambda g: print("y again", g))
y.sum().backward()
print(x.grad)""",
    "hooks and kept gradients of views": """
x = torch.ones(2, 3, requires_grad=True)
for change in (lambda y, v: None, lambda y, v: y.mul_(3), lambda y, v: v.mul_(3)):
    y = x * 2
    v = y[0]
    v.register_hook(lambda g: print("v", g))
    v.retain_grad()
    change(y, v)
    ((y * y).sum() + v.sum()).backward()
    print(v.grad, x.grad)""",
    "captures and hooks": """
x = torch.ones(2, 3, requires_grad=True)
for make in (lambda: x[0], lambda: x * 2, lambda: x.t()):
    for wanted in ("t", "tx", "x"):
        t = make()
        t.register_hook(lambda g: g * 2)
        print(torch.autograd.grad(t.sum(), [{"t": t, "x": x}[w] for w in wanted]))""",
    "names of in-place nodes": """
x = torch.rand(2, 3, requires_grad=True)
for f in (lambda y: y.fill_(2.0), lambda y: y.fill_(torch.tensor(2.0)), lambda y: y.zero_(), lambda y: y.t_(),
          lambda y: y.transpose_(0, 1), lambda y: y.squeeze_(), lambda y: y.squeeze_(0), lambda y: y.squeeze_((0, 1)),
          lambda y: y.unsqueeze_(0), lambda y: y.as_strided_((2,), (1,)), lambda y: y.masked_fill_(y > 0, 2.0),
          lambda y: y.masked_fill_(y > 0, torch.tensor(2.0)), lambda y: y.index_fill_(0, torch.tensor([0]), 1.0),
          lambda y: y.clamp_(0, 1), lambda y: y.relu_(), lambda y: y.tanh_(), lambda y: y.copy_(x)):
    y = x * 1
    f(y)
    print(y.grad_fn.name(), y._version, y._is_view(), y.shape)
for i, v in ((slice(None), 2.0), (..., torch.tensor(2.0)), (..., x), (..., x[0]), (0, 2.0), (0, x.sum()), ([0], 1.0),
             (x > 0, 2.0), ((slice(None), 0), torch.ones(2))):
    y = x * 1
    y[i] = v
    print(y.grad_fn.name(), y._version)""",
    "views made anew": """
x = torch.rand(2, 3, requires_grad=True)
y = x * 1
views = [y.t(), y[0], y.view(-1), y[:, 1:], y.diagonal(), y.expand(2, 2, 3), y[None], y.detach(), y[0][1:]]
print([type(v.grad_fn).__name__ for v in views])
y.mul_(2)
print([type(v.grad_fn).__name__ for v in views], [v._version for v in views])
with torch.no_grad():
    y.mul_(2)
print([type(v.grad_fn).__name__ for v in views], [v.requires_grad for v in views])""",
    "backward to inputs in the middle": """
x = torch.ones(2, requires_grad=True)
y = x * 2
z = (y * y).sum()
z.backward(inputs=[y], retain_graph=True)
print(x.grad, y.grad)
z.backward(inputs=[x, y])
print(x.grad, y.grad, y.retains_grad)""",
    "gradients that are kept with a graph": """
x = torch.ones(2, requires_grad=True)
(x * x).sum().backward(create_graph=True)
print(x.grad.grad_fn, x.grad)
x.grad = None""",
    "leaves that stop requiring grad": """
x = torch.ones(2, requires_grad=True)
y = (x * 2).sum()
x.requires_grad_(False)
y.backward()
print(x.grad, x.requires_grad)
x.requires_grad_()
(x * 2).sum().backward()
print(x.grad)
x.detach_()
print(x.requires_grad, x.is_leaf)""",
    "data replaced": """
x = torch.ones(2, requires_grad=True)
x.data = torch.tensor([5.0, 6.0])
print(x, x._version, x.is_leaf)
(x * x).sum().backward()
print(x.grad)""",
    "names of nodes": """
x = torch.ones(2, requires_grad=True)
y = x * 1
y[0] = 2.0
z = torch.zeros(2)
z.copy_(x)
for node in (y.grad_fn, z.grad_fn, (x * 2).grad_fn, (x * 2).grad_fn.next_functions[0][0]):
    print(node.name(), type(node).__name__)
print(y, z)""",
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", JUDGED)
def test_programs_print_what_pytorch_prints(name: str) -> None:
    from test_programs import printed

    oracle: ModuleType = pytest.importorskip("torch")
    assert printed(JUDGED[name], torch) == printed(JUDGED[name], oracle)
