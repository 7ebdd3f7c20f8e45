"""Special functions: values to 30 digits by mpmath, PyTorch's conventions at the borders, what has no derivative."""

from __future__ import annotations

import math

import numpy as np
import pytest

import torchish as th

INF, NAN = math.inf, math.nan

# Values by mpmath with 30 digits.
VALUES = [
    (
        "airy_ai",
        [-20, -5.5, -2.7, 0, 1.5, 2.5, 20],
        [
            *(-0.1764061270779847, 0.017781541276574976, -0.24003810974245735, 0.3550280538878172),
            *(0.07174949700810541, 0.01572592338047049, 1.6916728686705404e-27),
        ],
    ),
    (
        "bessel_j0",
        [0.5, -5, 7.5, 100],
        [0.9384698072408129, -0.1775967713143383, 0.2663396578803784, 0.019985850304223122],
    ),
    (
        "bessel_j1",
        [0.5, 3.8, 5, 7.5, -100],
        [0.2422684576748739, 0.0128210029267317, -0.32757913759146523, 0.1352484275797055, 0.07714535201411216],
    ),
    (
        "bessel_y0",
        [0.5, 0.9, 5, 7.5, 100],
        [-0.44451873350670656, 0.005628306635205559, -0.30851762524903376, 0.11731328614820863, -0.07724431336508315],
    ),
    (
        "bessel_y1",
        [0.5, 2.2, 5, 7.5, 100],
        [-1.471472392670243, 0.0014877892897633682, 0.14786314339122683, -0.25912851048611624, -0.020372312002759792],
    ),
    (
        "modified_bessel_k0",
        [1e-3, 1.9, 2.1, 30],
        [7.023688800562382, 0.1288459792760475, 0.10078374088996693, 2.1324774964630563e-14],
    ),
    (
        "modified_bessel_k1",
        [1e-3, 1.9, 2.1, 30],
        [999.9962381560856, 0.15966015303266762, 0.12274641153350789, 2.1677320018915495e-14],
    ),
    ("i0", [-3, 0.5, 20], [4.8807925858650245, 1.0634833707413236, 43558282.559553534]),
    ("i1", [-3, 0.5, 20], [-3.9533702174026093, 0.2578943053908963, 42454973.38512777]),
    (
        "erfcx",
        [-3, 0, 0.5, 4, 30],
        [16205.988853999586, 1.0, 0.6156903441929259, 0.13699945762506138, 0.01879588886141675],
    ),
    (
        "log_ndtr",
        [-30, -3, 0.5, 9],
        [-454.3212439563432, -6.607726221510349, -0.3689464152886564, -1.1285884059538405e-19],
    ),
    ("ndtri", [1e-10, 0.1, 0.5, 0.975], [-6.361340902404057, -1.2815515655446004, 0.0, 1.9599639845400538]),
    ("spherical_bessel_j0", [0, 1e-3, 2], [1, 0.9999998333333417, 0.45464871341284085]),
]


def tensor(*values, dtype=th.float64, **options):
    return th.tensor(values, dtype=dtype, **options)


def close(actual, expected, rtol=1e-13, atol=1e-15):
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=rtol, atol=atol)


def same(actual, expected):
    np.testing.assert_array_equal(np.asarray(actual.tolist(), float), np.asarray(expected, float))


@pytest.mark.parametrize(("name", "at", "expected"), VALUES, ids=[v[0] for v in VALUES])
def test_values(name, at, expected):
    function = getattr(th.special, name)
    close(function(tensor(*at)), expected)
    narrow = function(tensor(*at, dtype=th.float32))
    assert narrow.dtype == th.float32
    close(narrow, expected, rtol=4e-6, atol=1e-6)


def test_values_of_two_arguments():
    close(
        th.special.zeta(tensor(2, 3.5, 4), tensor(1, 0.25, 20)),
        [1.6449340668482264, 128.54695896428436, 4.4895703556606484e-05],
    )
    a, x = tensor(0.5, 4, 30, 1000), tensor(0.3, 9, 22, 1010)
    close(
        th.special.gammainc(a, x),
        [0.5614219739190002, 0.9787735136970911, 0.06021738399852663, 0.6276789447369947],
        1e-11,
    )
    close(
        th.special.gammaincc(a, x),
        [0.4385780260809999, 0.02122648630290888, 0.9397826160014734, 0.3723210552630053],
        1e-11,
    )
    close(th.mvlgamma(tensor(1.5, 4), 3), [2.1686775340635553, 5.402975080909175])


@pytest.mark.parametrize(
    ("n", "x", "expected"),
    [
        (0, 2.5, 0.7031566406452432),
        (1, 0.3, 12.245364546107732),
        (2, -1.3, 68.54941347116214),
        (3, -4.6, 283.5875035152743),
        (4, 7, -0.00329677158902638),
    ],
)
def test_polygamma(n, x, expected):
    close(th.polygamma(n, tensor(x)), [expected], 1e-12)


class TestBorders:
    def test_bessel_functions_of_the_second_kind_end_at_0(self):
        for name in ("bessel_y0", "bessel_y1"):
            same(getattr(th.special, name)(tensor(0, -1, NAN)), [-INF, NAN, NAN])
        for name in ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0"):
            same(getattr(th.special, name)(tensor(0, -1, INF)), [INF, NAN, 0])

    def test_infinity(self):
        same(th.special.airy_ai(tensor(INF, -INF)), [NAN, NAN])
        same(th.special.spherical_bessel_j0(tensor(INF, -INF)), [0, 0])
        same(th.special.erfcx(tensor(INF, -INF)), [0, INF])
        same(th.special.i0e(tensor(INF)), [0])

    def test_zeta_has_poles(self):
        same(th.special.zeta(1, tensor(2, -1.5, NAN)), [INF, INF, INF])
        same(th.special.zeta(0.5, tensor(2)), [NAN])
        same(th.special.zeta(3, tensor(0, -2)), [INF, INF])
        same(th.special.zeta(2.5, tensor(-0.5)), [NAN])
        close(th.special.zeta(2, tensor(-1.5)), [9.379246644989124])

    def test_where_the_first_factor_is_0(self):
        same(th.special.xlog1py(tensor(0, 0, 1), tensor(-2, NAN, -1)), [0, NAN, -INF])
        same(th.special.entr(tensor(0, -1, NAN)), [0, -INF, NAN])

    def test_incomplete_gamma_functions(self):
        a, x = tensor(0, 0, 1, INF, -1), tensor(0, 1, 0, 1, 1)
        same(th.igamma(a, x), [NAN, 1, 0, 0, NAN])
        same(th.igammac(a, x), [NAN, 0, 1, 1, NAN])

    def test_empty_and_0_dim(self):
        assert th.special.bessel_j0(th.empty(0, 3)).shape == (0, 3)
        assert th.special.legendre_polynomial_p(th.empty(0), 3).shape == (0,)
        assert th.special.i1(th.tensor(1.0)).shape == ()
        assert th.mvlgamma(th.empty(2, 0), 2).shape == (2, 0)


class TestPolynomials:
    X = (-1.5, -1, -0.25, 0, 0.5, 1, 2)

    @pytest.mark.parametrize(
        ("name", "reference"),
        [
            ("hermite_polynomial_h", np.polynomial.Hermite),
            ("hermite_polynomial_he", np.polynomial.HermiteE),
            ("laguerre_polynomial_l", np.polynomial.Laguerre),
            ("legendre_polynomial_p", np.polynomial.Legendre),
            ("chebyshev_polynomial_t", np.polynomial.Chebyshev),
        ],
    )
    def test_against_numpys_series(self, name, reference):
        degrees = th.arange(12)[:, None]
        found = getattr(th.special, name)(tensor(*self.X), degrees)
        expected = [reference.basis(n)(np.array(self.X)) for n in range(12)]
        close(found, expected, 1e-11, 1e-11)

    def test_chebyshevs_other_kinds(self):
        angle = np.array([0.3, 1.2, 2.9])
        x = th.tensor(np.cos(angle))
        for n in (0, 1, 2, 7, 8, 30):
            close(th.special.chebyshev_polynomial_u(x, n), np.sin((n + 1) * angle) / np.sin(angle), 1e-11, 1e-11)
            close(th.special.chebyshev_polynomial_v(x, n), np.cos((n + 0.5) * angle) / np.cos(angle / 2), 1e-11, 1e-11)
            close(th.special.chebyshev_polynomial_w(x, n), np.sin((n + 0.5) * angle) / np.sin(angle / 2), 1e-11, 1e-11)

    def test_at_1_and_minus_1(self):
        x = tensor(1, -1)
        same(th.special.chebyshev_polynomial_u(x, 9), [10, -10])
        same(th.special.chebyshev_polynomial_v(x, 9), [1, -19])
        same(th.special.chebyshev_polynomial_w(x, 9), [19, -1])
        same(th.special.legendre_polynomial_p(x, 10**9), [1, 1])

    def test_shifted(self):
        x = tensor(0.1, 0.7, 3)
        close(th.special.shifted_chebyshev_polynomial_t(x, 2), 2 * (2 * x.numpy() - 1) ** 2 - 1)
        close(th.special.shifted_chebyshev_polynomial_u(x, 2), 4 * (2 * x.numpy() - 1) ** 2 - 1)
        close(th.special.shifted_chebyshev_polynomial_v(x, 1), 4 * x.numpy() - 3)
        close(th.special.shifted_chebyshev_polynomial_w(x, 1), 4 * x.numpy() - 1)

    def test_the_degree_is_cut_to_an_integer(self):
        same(th.special.legendre_polynomial_p(tensor(2), tensor(1.9, -0.9, 0.5)), [2, 1, 1])

    def test_of_a_negative_degree_it_is_0(self):
        same(th.special.hermite_polynomial_h(tensor(2), tensor(-1, NAN)), [0, 0])

    def test_hermites_end_where_they_overflow(self):
        assert not th.special.hermite_polynomial_he(tensor(0.1), 256).isnan().any()
        same(th.special.hermite_polynomial_he(tensor(0.1), 600), [NAN])
        same(th.special.hermite_polynomial_h(tensor(0.1, dtype=th.float32), 129), [NAN])

    def test_overflow_ends_the_recurrence(self):
        same(th.special.chebyshev_polynomial_t(tensor(3), 10**12), [NAN])

    def test_numbers_and_integers(self):
        found = th.special.chebyshev_polynomial_t(2, th.tensor([3]))
        assert found.dtype == th.float32
        same(found, [26])
        with pytest.raises(TypeError, match="received an invalid combination of arguments"):
            th.special.chebyshev_polynomial_t(2, 3)


class TestDerivatives:
    def test_bessel_functions_have_none(self):
        x = tensor(0.5, requires_grad=True)
        for name in ("bessel_j0", "airy_ai", "modified_bessel_i0", "spherical_bessel_j0"):
            assert not getattr(th.special, name)(x).requires_grad
        assert not th.special.laguerre_polynomial_l(x, 3).requires_grad

    @pytest.mark.parametrize(
        ("function", "what"), [(th.igamma, "igamma: input"), (th.igammac, "igammac: input"), (th.special.zeta, "zeta")]
    )
    def test_by_the_second_operand_alone(self, function, what):
        a, x = tensor(2.5, requires_grad=True), tensor(1.5, requires_grad=True)
        result = function(a, x)
        (found,) = th.autograd.grad(result, x, retain_graph=True)
        h = 1e-6
        slope = (function(a.detach(), x.detach() + h) - function(a.detach(), x.detach() - h)) / (2 * h)
        close(found, slope.numpy(), 1e-7)
        message = f"the derivative for '{what}' is not implemented."
        with pytest.raises(NotImplementedError, match=message):
            th.autograd.grad(result, a, retain_graph=True)
        with pytest.raises(NotImplementedError, match=message):
            result.backward()
        assert a.grad is None and x.grad is None

    def test_second_derivatives_exist_far_out(self):
        x = tensor(-60, 0, 60, requires_grad=True)
        (first,) = th.autograd.grad(th.special.log_ndtr(x).sum(), x, create_graph=True)
        (second,) = th.autograd.grad(first.sum(), x)
        close(first, [60.01665742, 0.79788456, 0], 1e-8)
        close(second, [-0.99972268, -0.63661977, 0], 1e-7)

    def test_at_0(self):
        x = tensor(0.0, requires_grad=True)
        for function, expected in ((th.special.i0, 0), (th.special.i1, 0.5), (th.special.i1e, 0.5)):
            same(th.autograd.grad(function(x).sum(), x)[0], [expected])


class TestArguments:
    def test_polygamma_takes_its_order_first_as_a_function(self):
        x = tensor(0.5, 2)
        close(x.polygamma(1), th.polygamma(1, x).numpy())
        close(x.clone().polygamma_(2), th.special.polygamma(n=2, input=x).numpy())
        with pytest.raises(RuntimeError, match=r"polygamma\(n, x\) does not support negative n\."):
            th.polygamma(-1, x)
        with pytest.raises(TypeError, match=r"polygamma\(\): argument 'n' \(position 1\) must be int, not float"):
            th.polygamma(1.5, x)

    def test_mvlgamma_refuses(self):
        with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
            th.mvlgamma(tensor(3), 0)
        with pytest.raises(RuntimeError, match="The input tensor may not be a boolean tensor"):
            th.mvlgamma(th.tensor([True]), 1)
        with pytest.raises(TypeError, match="must be int, not float"):
            th.mvlgamma(tensor(3), 1.5)

    @pytest.mark.parametrize("name", ["bessel_j0", "erfcx", "log_ndtr", "ndtri", "airy_ai", "modified_bessel_k1"])
    def test_half_precision_is_refused(self, name):
        with pytest.raises(NotImplementedError, match=f"\"{name}_cpu\" not implemented for 'Half'"):
            getattr(th.special, name)(th.ones(2, dtype=th.float16))

    def test_integers_where_they_are_refused(self):
        with pytest.raises(NotImplementedError, match="\"igamma_cpu\" not implemented for 'Int'"):
            th.igamma(th.ones(2, dtype=th.int32), th.ones(2, dtype=th.int32))
        with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
            th.ones(2, dtype=th.int64).i0_()

    def test_integers_give_floats(self):
        for name in ("bessel_j0", "i0e", "ndtr", "entr", "digamma", "erfcx"):
            assert getattr(th.special, name)(th.tensor([1, 2])).dtype == th.float32

    def test_out(self):
        out = th.empty(2, dtype=th.float64)
        assert th.special.xlog1py(tensor(1, 2), tensor(0.5, 0.5), out=out) is out
        close(out, [math.log(1.5), 2 * math.log(1.5)])


@pytest.mark.oracle
class TestOracle:
    X = np.linspace(-6.2, 6.3, 26)

    @pytest.mark.parametrize("name", ["i1", "i0e", "erfcx", "log_ndtr"])
    def test_two_derivatives(self, name):
        torch = pytest.importorskip("torch")

        def derivatives(lib):
            x = lib.tensor(self.X, requires_grad=True)
            value = getattr(lib.special, name)(x)
            (first,) = lib.autograd.grad(value.sum(), x, create_graph=True)
            (second,) = lib.autograd.grad(first.sum(), x)
            return [np.asarray(t.detach().numpy()) for t in (value, first, second)]

        for got, expected in zip(derivatives(th), derivatives(torch), strict=True):
            np.testing.assert_allclose(got, expected, rtol=2e-7, atol=1e-9)

    def test_all_names_are_there(self):
        torch = pytest.importorskip("torch")
        skipped = {"Tensor", "torch", "common_args", "multi_dim_common"}
        assert {n for n in dir(torch.special) if n[0] != "_"} - skipped <= set(th.special.__all__)

    @pytest.mark.parametrize("n", [0, 1, 2, 3, 6])
    def test_polygamma(self, n):
        torch = pytest.importorskip("torch")
        got, expected = (lib.polygamma(n, lib.tensor(self.X)).numpy() for lib in (th, torch))
        np.testing.assert_allclose(got, expected, rtol=2e-8)
