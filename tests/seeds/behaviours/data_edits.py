import torchish as torch

x = torch.ones(1, requires_grad=True)
print(x.data, x.data.requires_grad, x.data.is_leaf)
y = 2 * x
x.data *= 100
y.backward()
print(x, x.grad)

z = x * x
x.data.fill_(5)
z.backward()  # an edit through .data is not seen: the derivative reads the new value
print(x, x.grad)

v = torch.arange(6.0).reshape(2, 3)
shared = v.data
shared[1, 2] = -1
print(v, v._version, shared._version)
v.detach().zero_()
print(v, shared, v._version)
w = torch.ones(1, requires_grad=True)
w.data = torch.tensor([7.0, 8.0])
print(w, w.shape, w.requires_grad)
(w * torch.tensor([1.0, 2.0])).sum().backward()
print(w.grad)
w.grad.data.mul_(10)
print(w.grad)
