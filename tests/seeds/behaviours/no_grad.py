import torchish as torch

x = torch.tensor(1.0, requires_grad=True)
y1 = x**2
with torch.no_grad():
    y2 = x**3
    print(torch.is_grad_enabled())
    with torch.enable_grad():
        print((x * 2).requires_grad)
y3 = y1 + y2
print(torch.is_grad_enabled(), x.requires_grad)
print(y1, y1.requires_grad)
print(y2, y2.requires_grad)
print(y3, y3.requires_grad)
y3.backward()
print(x.grad)
try:
    y2.backward()
except RuntimeError as error:
    print(error)


@torch.no_grad()
def doubled(t):
    return t * 2


print(doubled(x).requires_grad, (x * 2).detach().requires_grad)
with torch.set_grad_enabled(False):
    print((x * 2).requires_grad)
w = torch.ones(5, 3, requires_grad=True)
b = torch.ones(3, requires_grad=True)
z = torch.matmul(torch.ones(5), w) + b
print(z.requires_grad, z.detach().requires_grad, z.detach().is_leaf, z)
print(z.detach().data_ptr() == z.data_ptr())
