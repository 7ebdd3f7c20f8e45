import torchish as torch

inp = torch.eye(5, requires_grad=True)
out = (inp + 1).pow(2)
for call in ("First", "Second", "Third"):
    out.backward(torch.ones_like(inp), retain_graph=True)
    print(f"{call} call\n", inp.grad)
inp.grad.zero_()
out.backward(torch.ones_like(inp), retain_graph=True)
print("After zeroing grad\n", inp.grad)
out.backward(torch.ones_like(inp))
print("Last call\n", inp.grad)
try:
    out.backward(torch.ones_like(inp))
except RuntimeError as error:
    print(error)
