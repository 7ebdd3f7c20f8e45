import torchish as torch


def show(action, *arguments, **options):
    try:
        action(*arguments, **options)
        print("no error")
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


a = torch.tensor([1.0, 2.0, 3.0, 4], requires_grad=True)
b = a**2
c = b.mean()
d = b.sum()
c.backward()
print(a.grad)
show(d.backward)

b = a**2
c = b.mean()
d = b.sum()
a.grad = None
c.backward(retain_graph=True)
print(a.grad)
d.backward()
print(a.grad)

# A graph whose derivatives save nothing can be walked again.
e = (a + 2).sum()
e.backward()
show(e.backward)
print(a.grad)

show((a * 2).backward)
show(torch.ones(2).sum().backward)
show((a * 2).backward, torch.ones(3))
show((a * a).backward, torch.ones(4, 2))
show(torch.autograd.grad, (a * 2).sum(), torch.ones(4, requires_grad=True))
show(torch.tensor, 2, requires_grad=True)
show(torch.tensor([1, 2]).requires_grad_)
