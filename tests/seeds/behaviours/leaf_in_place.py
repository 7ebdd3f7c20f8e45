import torchish as torch


def show(action, *arguments):
    try:
        action(*arguments)
        print("no error")
    except RuntimeError as error:
        print(f"{type(error).__name__}: {error}")


w = torch.tensor([1.0], requires_grad=True)
x = torch.tensor([2.0], requires_grad=True)
y = torch.mul(torch.add(w, x), torch.add(w, 1))
show(w.add_, 1)
show(w.__setitem__, 0, 5.0)
show(w[:1].mul_, 2)
show(w.zero_)
print(w)
y.backward()
print(w.grad, x.grad)

with torch.no_grad():
    w += 1
    w[0] *= 2
print(w, w.is_leaf, w.requires_grad)
w.detach().add_(1)
print(w)

h = (x * 3).exp()
z = (h * h).sum()
h.add_(1)
try:
    z.backward()
except RuntimeError as error:
    print(str(error).partition(". Hint")[0])

k = x * 3
k.mul_(2).add_(1)
print(k, type(k.grad_fn).__name__)
k.backward()
print(x.grad)
