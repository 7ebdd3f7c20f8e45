"""Schedules: the rates that PyTorch 2.13 gives, recorded, and the rules around ``step``."""

from __future__ import annotations

import warnings

import pytest

import torchish as torch
from torchish import nn, optim
from torchish.optim import lr_scheduler as S


def optimizer_of(cls: str = "SGD") -> optim.Optimizer:
    options = {"momentum": 0.9} if cls == "SGD" else {}
    return getattr(optim, cls)([nn.Parameter(torch.ones(1))], lr=0.05, **options)


RECORDED = {
    "LambdaLR": (
        lambda o: S.LambdaLR(o, lambda epoch: 0.95**epoch),
        [0.05, 0.0475, 0.045125, 0.04286875, 0.04072531, 0.03868905, 0.03675459, 0.03491686, 0.03317102],
    ),
    "MultiplicativeLR": (
        lambda o: S.MultiplicativeLR(o, lambda epoch: 0.95),
        [0.05, 0.0475, 0.045125, 0.04286875, 0.04072531, 0.03868905, 0.03675459, 0.03491686, 0.03317102],
    ),
    "StepLR": (
        lambda o: S.StepLR(o, 3, 0.5),
        [0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125],
    ),
    "MultiStepLR": (
        lambda o: S.MultiStepLR(o, [2, 5, 5, 9], 0.5),
        [0.05, 0.05, 0.025, 0.025, 0.025, 0.00625, 0.00625, 0.00625, 0.00625],
    ),
    "ConstantLR": (
        lambda o: S.ConstantLR(o, 0.3, 4),
        [0.015, 0.015, 0.015, 0.015, 0.05, 0.05, 0.05, 0.05, 0.05],
    ),
    "LinearLR": (
        lambda o: S.LinearLR(o, 0.3, 0.9, 4),
        [0.015, 0.0225, 0.03, 0.0375, 0.045, 0.045, 0.045, 0.045, 0.045],
    ),
    "ExponentialLR": (
        lambda o: S.ExponentialLR(o, 0.9),
        [0.05, 0.045, 0.0405, 0.03645, 0.032805, 0.0295245, 0.02657205, 0.02391485, 0.02152336],
    ),
    "CosineAnnealingLR": (
        lambda o: S.CosineAnnealingLR(o, 5, 0.001),
        [0.05, 0.04532092, 0.03307092, 0.01792908, 0.005679084, 0.001, 0.005679084, 0.01792908, 0.03307092],
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
        [0.05, 0.03775, 0.01325, 0.05, 0.04671762, 0.03775, 0.0255, 0.01325, 0.004282378],
    ),
    "PolynomialLR": (
        lambda o: S.PolynomialLR(o, 6, 2.0),
        [0.05, 0.03472222, 0.02222222, 0.0125, 0.005555556, 0.001388889, 0.0, 0.0, 0.0],
    ),
    "CyclicLR": (
        lambda o: S.CyclicLR(o, 0.01, 0.1, 3, 4, mode="triangular2"),
        [0.01, 0.04, 0.07, 0.1, 0.0775, 0.055, 0.0325, 0.01, 0.025],
    ),
    "CyclicLR exp_range": (
        lambda o: S.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9, base_momentum=0.7),
        [0.01, 0.037, 0.0586, 0.07561, 0.049366, 0.0277147, 0.01, 0.02434891, 0.03582803],
    ),
    "OneCycleLR": (
        lambda o: S.OneCycleLR(o, 0.1, total_steps=16),
        [0.004, 0.01949048, 0.05596381, 0.08987874, 0.09992134, 0.09719418, 0.09077808, 0.08117457, 0.0691343],
    ),
    "OneCycleLR in three phases": (
        lambda o: S.OneCycleLR(o, 0.1, epochs=4, steps_per_epoch=4, three_phase=True, anneal_strategy="linear"),
        [0.004, 0.02926316, 0.05452632, 0.07978947, 0.09494737, 0.06968421, 0.04442105, 0.01915789, 0.003783805],
    ),
    "SequentialLR": (
        lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, 1.0, 3), S.CosineAnnealingLR(o, 8), S.StepLR(o, 2)], [3, 9]),
        [0.005, 0.02, 0.035, 0.05, 0.04809699, 0.04267767, 0.03456709, 0.025, 0.01543291],
    ),
    "ChainedScheduler": (
        lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9)]),
        [0.005, 0.0045, 0.00405, 0.03645, 0.032805, 0.0295245, 0.02657205, 0.02391485, 0.02152336],
    ),
}


def rate(optimizer: optim.Optimizer) -> float:
    return optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("name", RECORDED)
def test_rates(name: str) -> None:
    make, expected = RECORDED[name]
    optimizer = optimizer_of()
    schedule = make(optimizer)
    rates = [rate(optimizer)]
    for _ in range(8):
        optimizer.step()
        schedule.step()
        rates.append(rate(optimizer))
    assert rates == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert schedule.get_last_lr() == [rate(optimizer)]


@pytest.mark.parametrize("name", RECORDED)
def test_state_dict_goes_on_where_it_stopped(name: str) -> None:
    make, expected = RECORDED[name]
    optimizer = optimizer_of()
    schedule = make(optimizer)
    for _ in range(5):
        optimizer.step()
        schedule.step()
    state = schedule.state_dict()
    assert "optimizer" not in state
    other = optimizer_of()
    resumed = make(other)
    resumed.load_state_dict(state)
    other.load_state_dict(optimizer.state_dict())
    other.step()
    resumed.step()
    assert rate(other) == pytest.approx(expected[6], rel=1e-6, abs=1e-12)


def test_reduce_on_plateau() -> None:
    optimizer = optimizer_of()
    schedule = S.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=1)
    rates = []
    for metric in (1.0, 0.9, 0.95, torch.tensor(0.9), 0.9, 0.9, 0.8, 0.81):
        schedule.step(metric)
        rates.append(rate(optimizer))
    assert rates == [0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.025]
    assert schedule.best == 0.8 and schedule.get_last_lr() == [0.025]


def test_reduce_on_plateau_stops_at_the_minimum() -> None:
    optimizer = optimizer_of()
    schedule = S.ReduceLROnPlateau(optimizer, "max", patience=0, min_lr=0.02)
    for metric in (1.0, 1.0, 1.0):
        schedule.step(metric)
    assert rate(optimizer) == 0.02


def test_one_cycle_moves_momentum_and_ends() -> None:
    sgd, adam = optimizer_of(), optimizer_of("Adam")
    schedules = [S.OneCycleLR(o, 0.1, total_steps=4) for o in (sgd, adam)]
    assert sgd.param_groups[0]["momentum"] == adam.param_groups[0]["betas"][0] == 0.95
    for _ in range(3):
        for optimizer, schedule in zip((sgd, adam), schedules, strict=True):
            optimizer.step()
            schedule.step()
    assert sgd.param_groups[0]["momentum"] == pytest.approx(0.95)
    assert rate(sgd) == pytest.approx(0.1 / 25 / 1e4)
    schedules[0].step()
    with pytest.raises(ValueError, match=r"Tried to step 5 times. The specified number of total steps is 4"):
        schedules[0].step()


def test_groups_keep_their_own_rates() -> None:
    groups = [{"params": [nn.Parameter(torch.ones(1))]}, {"params": [nn.Parameter(torch.ones(1))], "lr": 0.2}]
    optimizer = optim.SGD(groups, lr=0.1)
    schedule = S.LambdaLR(optimizer, [lambda epoch: 1.0, lambda epoch: 0.5])
    assert schedule.get_last_lr() == [0.1, 0.1] and schedule.base_lrs == [0.1, 0.2]
    assert optimizer.param_groups[1]["initial_lr"] == 0.2


def test_rate_as_a_tensor_is_filled() -> None:
    value = torch.tensor(0.1)
    optimizer = optim.SGD([nn.Parameter(torch.ones(1))], lr=value)
    schedule = S.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is value and value.item() == pytest.approx(0.05)
    assert schedule.base_lrs[0].item() == pytest.approx(0.1)


def test_explicit_epoch_uses_the_closed_form() -> None:
    optimizer = optimizer_of()
    schedule = S.StepLR(optimizer, 2, 0.1)
    optimizer.step()
    with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
        schedule.step(5)
    assert rate(optimizer) == pytest.approx(0.05 * 0.01)


def test_wrong_order_warns() -> None:
    optimizer = optimizer_of()
    schedule = S.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        schedule.step()


def test_optimizer_is_freed_with_its_schedule() -> None:
    import gc
    import weakref

    optimizer = optimizer_of()
    schedule = S.StepLR(optimizer, 1)
    gone = weakref.ref(optimizer)
    gc.disable()
    try:
        del optimizer, schedule
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda o: S.StepLR(3, 1), TypeError, "int is not an Optimizer"),
        (lambda o: S.LambdaLR(o, [len, len]), ValueError, "Expected 1 lr_lambdas, but got 2"),
        (lambda o: S.ConstantLR(o, 2.0), ValueError, "Constant multiplicative factor expected to be between 0 and 1."),
        (lambda o: S.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0."),
        (lambda o: S.ReduceLROnPlateau(o, mode="x"), ValueError, "mode x is unknown!"),
        (
            lambda o: S.OneCycleLR(o, 0.1),
            ValueError,
            "You must define either total_steps OR (epochs AND steps_per_epoch)",
        ),
        (
            lambda o: S.OneCycleLR(o, 0.1, total_steps=3, anneal_strategy="x"),
            ValueError,
            "anneal_strategy must be one of 'cos' or 'linear', instead got x",
        ),
        (lambda o: S.CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "mode is invalid and scale_fn is None"),
        (
            lambda o: S.CosineAnnealingWarmRestarts(o, 0),
            ValueError,
            "Expected positive integer T_0, but got 0",
        ),
        (
            lambda o: S.SequentialLR(o, [S.StepLR(o, 1)], [1, 2]),
            ValueError,
            "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone "
            "points, but got number of schedulers 1 and the number of milestones to be equal to 2",
        ),
        (
            lambda o: S.ChainedScheduler([]),
            ValueError,
            "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.",
        ),
    ],
)
def test_errors(call, error: type, text: str) -> None:
    with pytest.raises(error) as info:
        call(optimizer_of())
    assert str(info.value) == text


def test_resuming_needs_the_initial_rate() -> None:
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        S.StepLR(optimizer_of(), 1, last_epoch=3)
