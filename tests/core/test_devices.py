"""Tensors on several devices. JAX's further CPU devices stand in for CUDA ones (``conftest.py``), so PyTorch's rules about
devices hold here without a GPU; PyTorch itself, which has none here, cannot be asked."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import torchish as torch
from torchish import nn
from torchish.nn import functional as F

CUDA = torch.device("cuda", 0)


def raises(kind: type[Exception], text: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


# torch.device


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("cpu",), "device(type='cpu')"),
        (("cuda",), "device(type='cuda')"),
        (("cuda:1",), "device(type='cuda', index=1)"),
        (("cuda", 1), "device(type='cuda', index=1)"),
        ((1,), "device(type='cuda', index=1)"),
        (("cpu:0",), "device(type='cpu', index=0)"),
    ],
)
def test_a_device_by_any_name(arguments: tuple, shown: str) -> None:
    d = torch.device(*arguments)
    assert repr(d) == shown
    assert torch.device(d) == d and hash(torch.device(d)) == hash(d)
    assert copy.deepcopy(d) == d


def test_devices_differ_by_type_and_index() -> None:
    assert torch.device("cuda") != torch.device("cuda:0")
    assert torch.device("cuda:0") != torch.device("cuda:1")
    assert str(torch.device("cuda:1")) == "cuda:1"
    assert torch.device("cpu") != "cpu"


@pytest.mark.parametrize("name", ["cuda:", "cuda:x", "cuda:01", "cpu:-1"])
def test_an_invalid_device_string(name: str) -> None:
    with raises(RuntimeError, f"Invalid device string: '{name}'"):
        torch.device(name)


def test_an_unknown_device_type() -> None:
    with pytest.raises(RuntimeError, match=r"device type at start of device string: gpu$"):
        torch.device("gpu")
    with pytest.raises(RuntimeError, match=r"device type at start of device string: gpu$"):
        torch.zeros(1, device="gpu")


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.zeros(1, device=f"cuda:{torch.cuda.device_count()}")


# Where tensors are


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1", 1, torch.device("cuda:2")])
def test_creation_on_a_device(name: Any) -> None:
    t = torch.ones(2, device=name)
    expected = torch.device(name)
    assert t.device == torch.device("cuda", expected.index or 0)
    assert t.is_cuda and not t.is_cpu and t.get_device() == t.device.index
    assert t.tolist() == [1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda d: torch.tensor([1.0, 2.0], device=d),
        lambda d: torch.zeros(2, device=d),
        lambda d: torch.full((2,), 3.0, device=d),
        lambda d: torch.arange(2, device=d),
        lambda d: torch.linspace(0, 1, 2, device=d),
        lambda d: torch.eye(2, device=d),
        lambda d: torch.rand(2, device=d),
        lambda d: torch.randn(2, device=d),
        lambda d: torch.randint(0, 5, (2,), device=d),
        lambda d: torch.empty(2, device=d),
        lambda d: torch.as_tensor([1, 2], device=d),
        lambda d: torch.ones_like(torch.zeros(2), device=d),
        lambda d: torch.zeros(2).new_ones(2, device=d),
        lambda d: torch.randperm(3, device=d),
    ],
)
def test_every_creation_takes_a_device(make: Callable[[Any], torch.Tensor]) -> None:
    assert make("cuda:1").device == torch.device("cuda:1")
    assert make("cpu").device == torch.device("cpu")


def test_printing_names_the_device() -> None:
    assert repr(torch.ones(2, device="cuda:1")) == "tensor([1., 1.], device='cuda:1')"
    assert repr(torch.ones(1, device="cuda", requires_grad=True)) == "tensor([1.], device='cuda:0', requires_grad=True)"
    assert torch.ones(1, device="cuda").type() == "torch.cuda.FloatTensor"


def test_results_stay_on_the_device() -> None:
    x = torch.arange(6.0, device="cuda").view(2, 3)
    made = [x + 1, x @ x.t(), x[0], x[x > 2], x[[1, 0]], x.sum(), x.max(1).values, x.clone(), x.to(torch.float64)]
    made += [torch.cat([x, x]), torch.ones_like(x), x.new_zeros(1), x.nonzero(), x.argmax(), x.detach(), x.data, x > 1]
    assert {t.device for t in made} == {CUDA}


def test_views_alias_on_a_device() -> None:
    x = torch.zeros(2, 2, device="cuda")
    x[0].fill_(7)
    x.t()[1] += 1
    x.view(-1)[3:] = 5
    assert x.tolist() == [[7, 8], [0, 5]] and x._version == 4


# Moving


def test_moving_there_and_back() -> None:
    x = torch.arange(3.0)
    for moved in (
        x.cuda(),
        x.cuda(0),
        x.to("cuda"),
        x.to(CUDA),
        x.to(0),
        x.to(torch.ones(1, device="cuda")),
        x.cuda(CUDA),
    ):
        assert moved.device == CUDA and moved.tolist() == [0, 1, 2]
        assert moved.cpu().device == torch.device("cpu")
    assert x.to("cuda:1").to("cuda:2").device == torch.device("cuda:2")


def test_a_move_is_a_copy_and_staying_is_none() -> None:
    x = torch.zeros(2)
    there = x.cuda()
    there.add_(1)
    assert x.tolist() == [0, 0]
    assert there.cuda() is there and x.cpu() is x and there.to("cuda") is there


def test_moving_and_converting_at_once() -> None:
    y = torch.ones(2).to("cuda", torch.float64)
    assert y.device == CUDA and y.dtype is torch.float64
    z = torch.ones(2).to(y)
    assert z.device == CUDA and z.dtype is torch.float64
    assert torch.ones(2).to(device="cuda", dtype=torch.int32, non_blocking=True).tolist() == [1, 1]


def test_copy_crosses_devices() -> None:
    there, here = torch.zeros(2, device="cuda"), torch.arange(2.0)
    there.copy_(here)
    assert there.tolist() == [0, 1] and there.device == CUDA
    here[0] = there[1]
    assert here.tolist() == [1, 1]
    there[:] = torch.tensor([5.0, 6.0])
    assert there.tolist() == [5, 6]


def test_gradients_cross_devices() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.cuda() * 3
    z = (y * y).cpu() * torch.tensor([1.0, 10.0])
    z.sum().backward()
    assert x.grad.tolist() == [18, 360] and x.grad.device == torch.device("cpu")
    assert type(x.cuda().grad_fn).__name__ == "ToCopyBackward0"


def test_gradients_of_a_tensor_used_on_two_devices() -> None:
    x = torch.ones(2, requires_grad=True)
    ((x.to("cuda:0") * 2).cpu() + (x.to("cuda:1") * 3).cpu()).sum().backward()
    assert x.grad.tolist() == [5, 5]


def test_second_derivatives_cross_devices() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    (first,) = torch.autograd.grad((x.cuda() ** 3).cpu().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert first.tolist() == [12] and second.tolist() == [12]


def test_copy_into_another_device_is_differentiable() -> None:
    x = torch.ones(2, requires_grad=True)
    y = torch.zeros(2, device="cuda")
    y.copy_(x * 2)
    (y * y).sum().backward()
    assert x.grad.tolist() == [8, 8]


# Mixing


def two_devices(first: str, second: str) -> str:
    return f"Expected all tensors to be on the same device, but found at least two devices, {first} and {second}!"


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: torch.maximum(a, b),
        lambda a, b: a == b,
        lambda a, b: torch.where(a > 0, a, b),
        lambda a, b: a.add_(b),
    ],
)
def test_tensors_of_two_devices_do_not_mix(mix: Callable[[Any, Any], Any]) -> None:
    with raises(RuntimeError, two_devices("cuda:0", "cpu")):
        mix(torch.ones(2, device="cuda"), torch.ones(2))
    with raises(RuntimeError, two_devices("cuda:0", "cuda:1")):
        mix(torch.ones(2, device="cuda:0"), torch.ones(2, device="cuda:1"))


def test_a_0_dim_cpu_tensor_mixes_with_any_device() -> None:
    x = torch.ones(2, device="cuda")
    for y in (x * torch.tensor(3.0), torch.tensor(3.0) * x, x.clone().mul_(torch.tensor(3.0))):
        assert y.device == CUDA and y.tolist() == [3, 3]
    with raises(RuntimeError, two_devices("cpu", "cuda:0")):
        torch.ones(2) * torch.tensor(3.0, device="cuda")


def test_the_gradient_of_a_0_dim_cpu_tensor_comes_back_to_it() -> None:
    scale = torch.tensor(3.0, requires_grad=True)
    (torch.ones(2, device="cuda") * scale).sum().backward()
    assert scale.grad.item() == 2 and scale.grad.device == torch.device("cpu")


def test_a_module_on_another_device_refuses_cpu_input() -> None:
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        nn.Linear(2, 1).cuda()(torch.ones(1, 2))


def test_cpu_indices_index_a_tensor_on_a_device() -> None:
    x = torch.arange(4.0, device="cuda")
    assert x[torch.tensor([3, 0])].tolist() == [3, 0]
    assert x[torch.tensor([True, False, False, True])].tolist() == [0, 3]
    x[torch.tensor([1])] = 9
    assert x.tolist() == [0, 9, 2, 3] and x[torch.tensor([1])].device == CUDA


def test_numpy_of_a_tensor_on_a_device_is_refused() -> None:
    x = torch.ones(2, device="cuda:1")
    text = "can't convert cuda:1 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    with raises(TypeError, text):
        x.numpy()
    assert x.cpu().numpy().tolist() == [1, 1] and x.numpy(force=True).tolist() == [1, 1]


def test_a_gradient_must_be_where_its_tensor_is() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="attempting to assign a gradient located on device with index cuda:0"):
        x.grad = torch.ones(2, device="cuda")


# Modules and optimizers


def test_a_module_learns_on_another_device() -> None:
    torch.manual_seed(0)
    here = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    there = copy.deepcopy(here).to("cuda")
    assert {p.device for p in there.parameters()} == {b.device for b in there.buffers()} == {CUDA}
    x = torch.rand(5, 3)
    losses: dict[str, list[float]] = {"cpu": [], "cuda": []}
    for name, net in (("cpu", here), ("cuda", there)):
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss = net(x.to(name)).pow(2).mean()
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-4)
    assert there.cpu()[0].weight.device == torch.device("cpu")


def test_parameters_keep_their_identity_when_they_move() -> None:
    net = nn.Linear(2, 1)
    weight = net.weight
    net.cuda()
    assert net.weight is weight and weight.device == CUDA and weight.is_leaf


# The default device


@pytest.fixture
def default_device() -> Iterator[None]:
    yield
    torch.set_default_device(None)


@pytest.mark.usefixtures("default_device")
def test_the_default_device_is_where_tensors_are_made() -> None:
    torch.set_default_device("cuda:1")
    assert torch.ones(1).device == torch.device("cuda:1")
    assert torch.tensor([1.0]).device == torch.arange(2).device == torch.rand(1).device == torch.device("cuda:1")
    assert nn.Linear(1, 1).weight.device == torch.device("cuda:1")
    assert torch.ones(1, device="cpu").device == torch.device("cpu")
    assert torch.get_default_device() == torch.device("cuda:1")
    torch.set_default_device("cpu")
    assert torch.ones(1).device == torch.device("cpu")


def test_a_device_is_a_context() -> None:
    with torch.device("cuda:2"):
        assert torch.zeros(1).device == torch.device("cuda:2")
        with torch.device("cpu"):
            assert torch.zeros(1).device == torch.device("cpu")
        assert torch.zeros(1).device == torch.device("cuda:2")
    assert torch.zeros(1).device == torch.device("cpu")


# torch.cuda


def test_cuda_says_what_there_is() -> None:
    assert torch.cuda.is_available() and torch.cuda.device_count() == 3
    assert torch.cuda.current_device() == 0
    assert isinstance(torch.cuda.get_device_name(0), str)
    torch.cuda.synchronize()
    torch.cuda.empty_cache()


def test_seeds_hold_on_every_device() -> None:
    torch.manual_seed(1)
    first = torch.rand(3, device="cuda").tolist()
    torch.manual_seed(1)
    assert torch.rand(3, device="cuda").tolist() == first
    torch.cuda.manual_seed_all(2)
    assert torch.rand(3, device="cuda").tolist() != first


def test_without_a_gpu_cuda_is_refused() -> None:
    program = """
import torchish as torch
from torchish.nn import functional as F
print(torch.cuda.is_available(), torch.cuda.device_count())
for use in (lambda: torch.ones(1, device="cuda"), lambda: torch.ones(1).cuda(), lambda: torch.nn.Linear(1, 1).cuda()):
    try:
        use()
    except AssertionError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"JAX_PLATFORMS": "cpu", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TORCHISH_CACHE_DIR": "off"},
    )
    assert done.stdout.splitlines() == ["False 0", *["Torch not compiled with CUDA enabled"] * 3]


DRAWS = {
    "rand": lambda x: torch.rand(3, device="cuda"),
    "randn": lambda x: torch.randn(3, device="cuda"),
    "randint": lambda x: torch.randint(5, (3,), device="cuda"),
    "randperm": lambda x: torch.randperm(5, device="cuda"),
    "rand_like": torch.rand_like,
    "bernoulli": lambda x: torch.bernoulli(x * 0.5),
    "bernoulli_": lambda x: x.bernoulli_(0.3),
    "normal": lambda x: torch.normal(x, x),
    "normal_": lambda x: x.normal_(1, 2),
    "uniform_": lambda x: x.uniform_(1, 2),
    "exponential_": lambda x: x.exponential_(),
    "geometric_": lambda x: x.geometric_(0.5),
    "cauchy_": lambda x: x.cauchy_(),
    "log_normal_": lambda x: x.log_normal_(),
    "random_": lambda x: x.random_(),
    "multinomial": lambda x: torch.multinomial(x[0], 2),
    "poisson": torch.poisson,
    "binomial": lambda x: torch.binomial(x * 5, x * 0.5),
    "dropout": F.dropout,
    "dropout1d": F.dropout1d,
    "alpha_dropout": lambda x: F.alpha_dropout(x, 0.5, True),
    "feature_alpha_dropout": lambda x: F.feature_alpha_dropout(x[None], 0.5, True),
    "rrelu": lambda x: F.rrelu(-x, training=True),
    "gumbel_softmax": F.gumbel_softmax,
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x, dropout_p=0.5),
    "fractional_max_pool2d": lambda x: F.fractional_max_pool2d(x[None], 2, output_size=2),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_an_accelerator_draws_its_own_numbers(draw) -> None:
    def drawn() -> list:
        torch.cuda.manual_seed(7)
        return draw(torch.ones(4, 6, device="cuda"))

    before = torch.get_rng_state()
    first = drawn()
    assert first.device.type == "cuda" and first.tolist() == drawn().tolist()
    assert torch.equal(before, torch.get_rng_state()), "the CPU's generator has no part in it"
