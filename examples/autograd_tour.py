"""A tour of autograd: graphs, gradients, accumulation, Jacobian products, second order, hooks and the usual errors."""

import torch


def heading(text):
    print(f"\n== {text}")


def gradients():
    heading("gradients of a scalar")
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    print(x.is_leaf, y.is_leaf, x.grad_fn, type(y.grad_fn).__name__)
    print(y)
    print(z)
    out.backward()
    print(x.grad)


def accumulation():
    heading("gradients accumulate until they are cleared")
    w = torch.tensor([1.0], requires_grad=True)
    x = torch.tensor([2.0], requires_grad=True)
    for _ in range(3):
        ((w + x) * (w + 1)).backward()
        print(w.grad, x.grad)
    w.grad.zero_()
    x.grad = None
    ((w + x) * (w + 1)).backward()
    print(w.grad, x.grad)


def jacobian_products():
    heading("vector-Jacobian products")
    x1 = torch.tensor(1.0, requires_grad=True)
    x2 = torch.tensor(2.0, requires_grad=True)
    x3 = torch.tensor(3.0, requires_grad=True)
    y = torch.zeros(3)
    y[0] = x1**2 + 2 * x2 + x3
    y[1] = x1 + x2**3 + x3**2
    y[2] = 2 * x1 + x2**2 + x3**3
    rows = [torch.autograd.grad(y[i], (x1, x2, x3), retain_graph=True) for i in range(3)]
    jacobian = torch.stack([torch.stack(row) for row in rows])
    print(jacobian)
    v = torch.tensor([1.0, 0.1, 0.01])
    y.backward(v)
    print(torch.stack([x1.grad, x2.grad, x3.grad]), v @ jacobian)


def second_order():
    heading("gradients of gradients")
    x = torch.tensor(2.0, requires_grad=True)
    value = x**4 + torch.sin(x)
    for order in range(1, 5):
        (value,) = torch.autograd.grad(value, x, create_graph=True)
        print(order, f"{value.item():.4f}")


def leaving_the_graph():
    heading("no_grad, detach and .data")
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with torch.no_grad():
        print((x * 2).requires_grad)
    print((x * 2).detach().requires_grad)
    y = (x * 2).sum()
    x.data *= 100
    y.backward()
    print(x, x.grad)


def hooks():
    heading("hooks")
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    h = x.exp()
    h.retain_grad()
    handle = x.register_hook(lambda grad: grad.clamp(max=1.0))
    h.sum().backward()
    print(h.grad, x.grad)
    handle.remove()
    x.grad = None
    x.exp().sum().backward()
    print(x.grad)


def errors():
    heading("errors")
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def second_backward():
        y = (x * x).sum()
        y.backward()
        y.backward()

    def not_a_scalar():
        (x * 2).backward()

    def leaf_in_place():
        x.add_(1)

    def saved_and_changed():
        y = x.exp()
        z = (y * 2).sum()
        y.mul_(3)
        z.backward()

    for mistake in (second_backward, not_a_scalar, leaf_in_place, saved_and_changed):
        try:
            mistake()
        except RuntimeError as error:
            print(f"{mistake.__name__}: {str(error).split('.')[0]}")


if __name__ == "__main__":
    gradients()
    accumulation()
    jacobian_products()
    second_order()
    leaving_the_graph()
    hooks()
    errors()
