import torchish as torch

w = torch.tensor([1.0], requires_grad=True)
x = torch.tensor([2.0], requires_grad=True)
for _ in range(4):
    a = torch.add(w, x)
    b = torch.add(w, 1)
    y = torch.mul(a, b)
    y.backward()
    print(w.grad, x.grad)
w.grad.zero_()
torch.mul(torch.add(w, x), torch.add(w, 1)).backward()
print(w.grad, x.grad)
w.grad.data.zero_()
kept = w.grad
torch.mul(torch.add(w, x), torch.add(w, 1)).backward()
print(w.grad, kept is w.grad)
w.grad = None
torch.mul(w, w).backward()
print(w.grad, kept, kept is w.grad)

a = torch.add(w, x)
b = torch.add(w, 1)
loss = torch.cat([torch.mul(a, b), torch.add(a, b)], dim=0)
w.grad = None
loss.backward(gradient=torch.tensor([1.0, 2.0]))
print(w.grad)
first, second = torch.mul(w, x), torch.mul(w, 3)
w.grad = x.grad = None
torch.autograd.backward([first, second], [torch.tensor([1.0]), torch.tensor([10.0])])
print(w.grad, x.grad)

x = torch.tensor([3.0], requires_grad=True)
y = torch.pow(x, 2)
grad_1 = torch.autograd.grad(y, x, create_graph=True)
print(grad_1)
print(torch.autograd.grad(grad_1[0], x), x.grad)
