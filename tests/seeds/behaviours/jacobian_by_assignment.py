import torchish as torch

x1 = torch.tensor(1, requires_grad=True, dtype=torch.float)
x2 = torch.tensor(2, requires_grad=True, dtype=torch.float)
x3 = torch.tensor(3, requires_grad=True, dtype=torch.float)
torch.manual_seed(3)
y = torch.randn(3)
print(y, y.requires_grad, y.is_leaf)
y[0] = x1**2 + 2 * x2 + x3
print(y.requires_grad, y.is_leaf, type(y.grad_fn).__name__)
y[1] = x1 + x2**3 + x3**2
y[2] = 2 * x1 + x2**2 + x3**3
print(y)
for weights in ([1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.25]):
    x1.grad = x2.grad = x3.grad = None
    y.backward(torch.tensor(weights), retain_graph=True)
    print(x1.grad, x2.grad, x3.grad)
y.backward(torch.ones(3))
print(x1.grad, x2.grad, x3.grad)

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
b = a * 1
b[1:] = a[:2] * 10
b.sum().backward()
print(b, a.grad)
