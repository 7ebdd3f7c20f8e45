"""Module: registration, the tree, state_dict, conversion, hooks, copies."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest

import torchish as torch
from torchish import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.bn = nn.BatchNorm1d(4)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))
        self.scale = nn.Parameter(torch.ones(2))
        self.register_buffer("shift", torch.ones(2))
        self.register_buffer("scratch", torch.ones(1), persistent=False)
        self.register_parameter("absent", None)
        self.same = self.fc

    def forward(self, x):
        return self.head(self.bn(self.fc(x))) * self.scale + self.shift


KEYS = [
    "scale", "shift", "fc.weight", "fc.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
    "bn.num_batches_tracked", "head.1.weight", "head.1.bias", "same.weight", "same.bias",
]  # fmt: skip


def test_names_in_order_each_once() -> None:
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "fc.weight", "fc.bias", "bn.weight", "bn.bias", "head.1.weight", "head.1.bias",
    ]  # fmt: skip
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert "same.weight" in dict(net.named_parameters(remove_duplicate=False))
    assert [n for n, _ in net.named_buffers("p")][:2] == ["p.shift", "p.scratch"]
    assert [n for n, _ in net.named_modules()] == ["", "fc", "bn", "head", "head.0", "head.1"]
    assert [n for n, _ in net.named_children()] == ["fc", "bn", "head"]


def test_repr() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (fc): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (bn): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n"
        "  (head): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Linear(in_features=4, out_features=2, bias=True)\n"
        "  )\n"
        "  (same): Linear(in_features=3, out_features=4, bias=True)\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("scale", 3, TypeError, "cannot assign 'int' as parameter 'scale' (torch.nn.Parameter or None expected)"),
        ("fc", 3, TypeError, "cannot assign 'int' as child module 'fc' (torch.nn.Module or None expected)"),
        (
            "shift",
            3,
            TypeError,
            "cannot assign 'int' as buffer 'shift' (torch.nn.Buffer, torch.Tensor or None expected)",
        ),
    ],
)
def test_assignment_keeps_kinds_apart(name: str, value: object, error: type, text: str) -> None:
    with pytest.raises(error) as info:
        setattr(Net(), name, value)
    assert str(info.value) == text


def test_registration_errors() -> None:
    net = Net()
    for call, error, text in (
        (lambda: net.register_buffer("a.b", None), KeyError, "'buffer name can\\'t contain \".\"'"),
        (lambda: net.register_buffer("", None), KeyError, "'buffer name can\\'t be empty string \"\"'"),
        (lambda: net.register_buffer("forward", None), KeyError, "\"attribute 'forward' already exists\""),
        (lambda: net.add_module("a.b", None), KeyError, "'module name can\\'t contain \".\", got: a.b'"),
        (
            lambda: net.register_parameter("q", nn.Parameter(torch.ones(1)) * 2),
            TypeError,
            "cannot assign 'torch.FloatTensor' object to parameter 'q' (torch.nn.Parameter or None required)",
        ),
    ):
        with pytest.raises(error) as info:
            call()
        assert str(info.value) == text


def test_assignment_before_init() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(torch.ones(1))

    with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__\(\) call"):
        Early()


def test_reassignment_moves_between_kinds() -> None:
    net = Net()
    net.bn = nn.Parameter(torch.ones(1))
    net.scale = None
    net.extra = nn.Buffer(torch.zeros(1), persistent=False)
    del net.shift
    assert "bn" in dict(net.named_parameters()) and "bn" not in dict(net.named_children())
    assert net.scale is None and "extra" in dict(net.named_buffers())
    assert "extra" not in net.state_dict() and "shift" not in net.state_dict()
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'shift'"):
        net.shift  # noqa: B018


def test_get_and_set_by_path() -> None:
    net = Net()
    assert net.get_submodule("head.1") is net.head[1]
    assert net.get_parameter("head.1.weight") is net.head[1].weight
    assert net.get_buffer("bn.running_mean") is net.bn.running_mean
    net.set_submodule("head.0", nn.Tanh())
    assert isinstance(net.head[0], nn.Tanh)
    with pytest.raises(AttributeError, match="Sequential has no attribute `7`"):
        net.get_submodule("head.7")
    with pytest.raises(AttributeError, match=r"`shift` is not an nn.Parameter"):
        net.get_parameter("shift")


# state_dict


def test_state_dict_keys_and_metadata() -> None:
    state = Net().state_dict()
    assert list(state) == KEYS
    assert state._metadata["bn"] == {"version": 2} and state._metadata[""] == {"version": 1}
    assert next(iter(Net().state_dict(prefix="p."))) == "p.scale"
    assert not state["scale"].requires_grad
    assert Net().state_dict(keep_vars=True)["scale"].requires_grad


def test_state_dict_shares_and_load_copies() -> None:
    a, b = Net(), Net()
    state = a.state_dict()
    assert state["scale"].data_ptr() == a.scale.data_ptr()
    kept = b.scale
    assert str(b.load_state_dict(state)) == "<All keys matched successfully>"
    assert b.scale is kept and torch.equal(b.fc.weight, a.fc.weight)
    with torch.no_grad():
        a.scale.fill_(5)
    assert b.scale.tolist() == [1, 1]


def test_load_errors_word_for_word() -> None:
    net = nn.Sequential(OrderedDict(fc=nn.Linear(2, 2), out=nn.Linear(2, 1)))
    state = net.state_dict()
    del state["fc.weight"]
    state["out.weight"] = torch.ones(3, 3)
    state["out.bias"] = 7
    state["fc.more"] = torch.ones(1)
    with pytest.raises(RuntimeError) as info:
        net.load_state_dict(state)
    assert str(info.value) == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "fc.weight". \n'
        '\tUnexpected key(s) in state_dict: "fc.more". \n'
        "\tsize mismatch for out.weight: copying a param with shape torch.Size([3, 3]) from checkpoint, "
        "the shape in current model is torch.Size([1, 2]).\n"
        '\tWhile copying the parameter named "out.bias", expected torch.Tensor or Tensor-like object from checkpoint '
        "but received <class 'int'>"
    )


def test_load_not_strict_reports() -> None:
    net = nn.Linear(2, 2)
    result = net.load_state_dict({"weight": torch.ones(2, 2), "zz": torch.ones(1)}, strict=False)
    assert repr(result) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['zz'])"
    assert net.weight.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(TypeError, match=r"Expected state_dict to be dict-like, got <class 'int'>."):
        net.load_state_dict(3)


def test_load_assign_takes_the_tensors() -> None:
    net = nn.Linear(2, 1)
    state = {"weight": torch.ones(1, 2, dtype=torch.float64), "bias": torch.zeros(1, dtype=torch.float64)}
    net.load_state_dict(state, assign=True)
    assert isinstance(net.weight, nn.Parameter) and net.weight.dtype == torch.float64
    assert net.weight.data_ptr() == state["weight"].data_ptr()


def test_extra_state_and_hooks() -> None:
    class Extra(nn.Linear):
        extra = 5

        def get_extra_state(self):
            return {"extra": self.extra}

        def set_extra_state(self, state):
            self.extra = state["extra"] + 1

    log = []
    net = nn.Sequential(Extra(1, 1))
    net.register_state_dict_pre_hook(lambda module, prefix, keep_vars: log.append(("pre", prefix, keep_vars)))
    net.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.update(more=1))
    net.register_load_state_dict_post_hook(lambda module, keys: keys.unexpected_keys.clear())
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias", "0._extra_state", "more"]
    net.load_state_dict(state)
    assert net[0].extra == 6 and log == [("pre", "", False)]


# Conversion and modes


def test_conversion_keeps_parameters_and_integers() -> None:
    net = Net()
    net(torch.ones(2, 3)).sum().backward()
    weight = net.fc.weight
    assert net.double() is net
    assert net.fc.weight is weight and weight.dtype == torch.float64 and weight.grad.dtype == torch.float64
    assert net.bn.num_batches_tracked.dtype == torch.int64
    assert net.to(torch.float16).scale.dtype == torch.float16
    assert net.to(torch.ones(1, dtype=torch.float64)).scale.dtype == torch.float64
    assert net.to("cpu", torch.float32).scale.dtype == torch.float32
    with pytest.raises(
        TypeError, match=r"only accepts floating point or complex dtypes, but got desired dtype=torch.int"
    ):
        net.to(torch.int32)


def test_train_eval_requires_grad_zero_grad() -> None:
    net = Net()
    assert not net.eval().head[0].training and net.train().bn.training
    net(torch.ones(2, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0, 0]
    net.zero_grad()
    assert net.scale.grad is None
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train(1)


def test_apply_visits_children_first() -> None:
    seen = []
    Net().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Linear", "Sequential", "Net"]


def test_deepcopy_and_pickle() -> None:
    net = Net()
    other = copy.deepcopy(net)
    assert other.fc.weight is not net.fc.weight and torch.equal(other.fc.weight, net.fc.weight)
    assert other.same is other.fc and other.fc.weight.requires_grad
    plain = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    loaded = pickle.loads(pickle.dumps(plain))
    assert repr(loaded) == repr(plain) and torch.equal(loaded[0].weight, plain[0].weight)
    assert isinstance(loaded[0].weight, nn.Parameter)


# Hooks around forward


def test_forward_hooks_replace_arguments_and_output() -> None:
    layer = nn.Identity()
    first = layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    layer.register_forward_hook(lambda module, args, output: output + 1)
    layer.register_forward_hook(lambda module, args, kwargs, output: output * 10, with_kwargs=True, prepend=True)
    assert layer(torch.ones(1)).item() == 21
    first.remove()
    assert layer(torch.ones(1)).item() == 11
    with layer.register_forward_hook(lambda *args: 7):
        assert layer(torch.ones(1)) == 7
    assert layer(torch.ones(1)).item() == 11


def test_always_called_hook_runs_after_an_error() -> None:
    layer, seen = nn.Linear(2, 2), []
    layer.register_forward_hook(lambda module, args, output: seen.append(output), always_call=True)
    with pytest.raises(RuntimeError):
        layer(torch.ones(3))
    assert seen == [None]


def test_global_hooks_come_first() -> None:
    seen = []
    register = nn.modules.module.register_module_forward_pre_hook
    with register(lambda module, args: seen.append("all")):
        layer = nn.Identity()
        layer.register_forward_pre_hook(lambda module, args: seen.append("own"))
        layer(torch.ones(1))
    layer(torch.ones(1))
    assert seen == ["all", "own", "own"]


# Hooks around backward


def test_full_backward_hook_sees_and_replaces_gradients() -> None:
    layer, seen = nn.Linear(2, 1, bias=False), []
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 3.0]]))

    def hook(module, grad_input, grad_output):
        seen.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 10,)

    layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 2,))
    layer.register_full_backward_hook(hook)
    x = torch.ones(1, 2, requires_grad=True)
    y = layer(x)
    assert type(y.grad_fn).__name__ == "BackwardHookFunctionBackward"
    y.sum().backward()
    assert seen == [([[4.0, 6.0]], [[2.0]])]
    assert x.grad.tolist() == [[40.0, 60.0]] and layer.weight.grad.tolist() == [[2.0, 2.0]]


def test_full_backward_hook_marks_what_is_no_tensor_with_none() -> None:
    class Two(nn.Module):
        def forward(self, x, factor):
            return x * factor, x * 3, "text"

    module, seen = Two(), []
    module.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append((grad_input, grad_output)))
    first, _, _ = module(torch.ones(1, requires_grad=True), 2)
    first.backward()
    ((grad_input, grad_output),) = seen
    assert grad_input[0].item() == 2 and grad_input[1] is None
    assert grad_output[0].item() == 1 and grad_output[1:] == (None, None)


def test_full_backward_hook_errors() -> None:
    layer = nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: (1, 2))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        layer(torch.ones(1, 1, requires_grad=True)).sum().backward()
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks"):
        layer.register_backward_hook(lambda *args: None)


def test_full_backward_hook_without_input_gradients_warns() -> None:
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append(grad_input))
    with pytest.warns(UserWarning, match="Full backward hook is firing"):
        layer(torch.ones(1, 1)).sum().backward()
    assert seen == [(None,)]
