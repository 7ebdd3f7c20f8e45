"""Fourier transforms, windows and spectrograms: conventions, recorded values and errors, and PyTorch beside them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import torchish as torch
from torchish._core.user_warnings import forget

X = [1.0, 2.0, -1.0, 0.5, 3.0, -2.0]


def near(actual, expected, tolerance=1e-6):
    np.testing.assert_allclose(actual.detach().numpy(), np.asarray(expected), rtol=tolerance, atol=tolerance)


class TestTransforms:
    @pytest.mark.parametrize(
        "norm, factor", [(None, 1), ("backward", 1), ("ortho", 1 / math.sqrt(6)), ("forward", 1 / 6)]
    )
    def test_norm(self, norm, factor):
        x = torch.tensor(X, dtype=torch.float64)
        near(torch.fft.fft(x, norm=norm), np.fft.fft(X) * factor)
        near(torch.fft.ifft(torch.fft.fft(x, norm=norm), norm=norm), X)
        near(torch.fft.irfft(torch.fft.rfft(x, norm=norm), norm=norm), X)
        near(torch.fft.hfft(torch.fft.ihfft(x, norm=norm), norm=norm), X)

    def test_length_cuts_and_fills_up(self):
        x = torch.tensor(X)
        near(torch.fft.fft(x, 4), np.fft.fft(X, 4), 1e-5)
        near(torch.fft.rfft(x, n=9), np.fft.rfft(X, 9), 1e-5)
        assert torch.fft.irfft(torch.fft.rfft(x)).shape == (6,)
        assert torch.fft.irfft(x, 5).shape == (5,)

    def test_more_dimensions_than_xla_transforms_at_once(self):
        x = np.random.default_rng(0).standard_normal((2, 3, 2, 3, 4))
        near(torch.fft.fftn(torch.tensor(x)), np.fft.fftn(x))
        near(torch.fft.rfftn(torch.tensor(x)), np.fft.rfftn(x))
        near(torch.fft.irfftn(torch.fft.rfftn(torch.tensor(x))), x)
        near(torch.fft.hfftn(torch.fft.ihfftn(torch.tensor(x))), x)
        near(torch.fft.fftn(torch.tensor(x), s=(2, -1), dim=(1, -1)), np.fft.fftn(x, s=(2, 4), axes=(1, -1)))

    def test_dtypes(self):
        assert torch.fft.fft(torch.tensor([1, 2])).dtype is torch.complex64
        assert torch.fft.rfft(torch.tensor([True, False])).dtype is torch.complex64
        assert torch.fft.irfft(torch.ones(3, dtype=torch.complex128)).dtype is torch.float64
        with pytest.raises(RuntimeError, match=r"^Unsupported dtype Half$"):
            torch.fft.fft(torch.ones(4, dtype=torch.float16))

    @pytest.mark.parametrize(
        "call, error, text",
        [
            (lambda f, x: f.fft(x, 0), RuntimeError, r"Invalid number of data points \(0\) specified"),
            (lambda f, x: f.irfft(x[:1]), RuntimeError, r"Invalid number of data points \(0\) specified"),
            (lambda f, x: f.fft(x, norm="unit"), RuntimeError, 'Invalid normalization mode: "unit"'),
            (lambda f, x: f.fft(x[0]), IndexError, "Dimension specified as -1 but tensor has no dimensions"),
            (lambda f, x: f.fft2(x), IndexError, r"expected to be in range of \[-1, 0\], but got -2"),
            (lambda f, x: f.rfft(x + 0j), RuntimeError, "rfft expects a real input tensor, but got ComplexFloat"),
            (lambda f, x: f.fftn(x, s=(2, 2)), RuntimeError, "Got shape with 2 values but input tensor only has 1"),
            (lambda f, x: f.fftn(x, dim=(0, -1)), RuntimeError, "FFT dims must be unique"),
            (lambda f, x: f.fftn(x, s=(2,), dim=()), RuntimeError, "dim and shape arguments must have the same length"),
            (lambda f, x: f.rfftn(x[0]), RuntimeError, "rfftn must transform at least one axis"),
            (lambda f, x: f.fft(x, 2.5), TypeError, r"fft_fft\(\): argument 'n' \(position 2\) must be int, not float"),
            (
                lambda f, x: f.fftfreq(4, dtype=torch.int64),
                RuntimeError,
                "fftfreq requires a floating point or complex",
            ),
            (lambda f, x: f.fftshift(x[0]), RuntimeError, "`shifts` required"),
        ],
    )
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call(torch.fft, torch.tensor(X))

    def test_gradient_of_a_spectrum_is_conjugated(self):
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        y = torch.fft.rfft(x)
        assert type(y.grad_fn).__name__ == "FftR2CBackward0"
        (y.abs() ** 2).sum().backward()
        # Of |rfft(x)|^2, which counts the first and last point once and the others, if all were there, twice.
        weights = np.full(4, 1.0)
        expected = np.fft.irfft(2 * np.fft.rfft(X) * weights * np.array([1, 0.5, 0.5, 1]), 6) * 6
        near(x.grad, expected)

    def test_frequencies_and_shifts(self):
        assert torch.fft.fftfreq(4, d=0.5).tolist() == [0.0, 0.5, -1.0, -0.5]
        assert torch.fft.rfftfreq(5, dtype=torch.float64).tolist() == [0.0, 0.2, 0.4]
        assert torch.fft.fftshift(torch.arange(5)).tolist() == [3, 4, 0, 1, 2]
        assert torch.fft.ifftshift(torch.fft.fftshift(torch.arange(5))).tolist() == [0, 1, 2, 3, 4]
        assert torch.fft.fftshift(torch.arange(4).reshape(2, 2), dim=1).tolist() == [[1, 0], [3, 2]]


class TestWindows:
    def test_recorded(self):
        near(torch.hann_window(4), [0, 0.5, 1, 0.5])
        near(torch.hamming_window(5, False), [0.08, 0.54, 1, 0.54, 0.08])
        near(torch.kaiser_window(5, True, beta=3.5), [0.13554, 0.56345, 0.94238, 0.94238, 0.56345], 1e-4)
        near(torch.signal.windows.gaussian(5, std=2.5), [0.7261490, 0.9231163, 1, 0.9231163, 0.7261490])
        near(torch.signal.windows.exponential(4, center=1.0, tau=2, sym=False), np.exp([-0.5, 0, -0.5, -1]))
        near(torch.signal.windows.kaiser(4, beta=5.0, dtype=torch.float64), np.kaiser(4, 5.0))

    @pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hann"])
    def test_both_kinds_agree_with_numpy(self, name):
        expected = getattr(np, {"hann": "hanning"}.get(name, name))
        old, new = getattr(torch, f"{name}_window"), getattr(torch.signal.windows, name)
        for size in (1, 2, 7, 8):
            near(old(size, periodic=False, dtype=torch.float64), expected(size))
            near(new(size, dtype=torch.float64), expected(size))
            near(new(size, sym=False, dtype=torch.float64), expected(size + 1)[:-1] if size > 1 else [1.0])

    def test_empty_and_requiring_grad(self):
        assert torch.hann_window(0).shape == (0,)
        assert torch.signal.windows.cosine(0, dtype=torch.float64).dtype is torch.float64
        assert torch.hann_window(3, requires_grad=True).is_leaf
        assert torch.signal.windows.hann(3, requires_grad=True).requires_grad

    @pytest.mark.parametrize(
        "call, error, text",
        [
            (lambda: torch.hann_window(-1), RuntimeError, "hann_window requires non-negative window_length"),
            (
                lambda: torch.hann_window(3, dtype=torch.int64),
                RuntimeError,
                "expects floating point dtypes, got: Tensor",
            ),
            (lambda: torch.hann_window(2.0), TypeError, r"'window_length' \(position 1\) must be int, not float"),
            (lambda: torch.signal.windows.hann(-1), ValueError, "requires non-negative window length, got M=-1"),
            (lambda: torch.signal.windows.kaiser(3, beta=-1), ValueError, "beta must be non-negative, got: -1 instead"),
            (lambda: torch.signal.windows.gaussian(3, std=0), ValueError, "Standard deviation must be positive"),
            (lambda: torch.signal.windows.exponential(3, center=1.0), ValueError, "Center must be None for symmetric"),
            (lambda: torch.signal.windows.general_cosine(3, a=[]), ValueError, "Coefficients cannot be empty"),
            (
                lambda: torch.signal.windows.hann(3, dtype=torch.float16),
                ValueError,
                "expects float32 or float64 dtypes",
            ),
        ],
    )
    def test_errors(self, call, error, text):
        with pytest.raises(error, match=text):
            call()


class TestSpectrograms:
    W = torch.hann_window(8)

    def test_there_and_back(self):
        x = torch.sin(torch.arange(40.0)).reshape(2, 20)
        for options in ({}, {"normalized": True}, {"onesided": False}, {"hop_length": 3}):
            spectra = torch.stft(x, 8, window=self.W, return_complex=True, **options)
            near(torch.istft(spectra, 8, window=self.W, length=20, **options), x.numpy(), 1e-5)

    def test_frames(self):
        x = torch.arange(12.0)
        spectra = torch.stft(x, 8, 2, window=self.W, center=False, return_complex=True)
        assert spectra.shape == (5, 3)
        near(spectra[:, 1], np.fft.rfft(np.arange(2.0, 10.0) * self.W.numpy()), 1e-4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is deprecated
            assert torch.stft(x, 8, window=self.W, return_complex=False).shape == (5, 7, 2)

    def test_a_window_that_leaves_gaps_has_no_inverse(self):
        spectra = torch.stft(torch.arange(20.0), 8, 8, window=self.W, return_complex=True)
        with pytest.raises(RuntimeError, match=r"window overlap add min: 1\n\[ CPUBoolType\{\} \]"):
            torch.istft(spectra, 8, 8, window=self.W)

    def test_errors_and_warnings(self):
        x = torch.arange(20.0)
        with pytest.raises(RuntimeError, match="stft requires the return_complex parameter be given for real inputs"):
            torch.stft(x, 8, window=self.W)
        with pytest.raises(
            RuntimeError,
            match=r"^stft\(torch.FloatTensor\[28\], n_fft=8, hop_length=0, win_length=8, window=torch.FloatTensor\{\[8\]\}, "
            r"normalized=0, onesided=None, return_complex=1, align_to_window=None\) : expected hop_length > 0, but got "
            r"hop_length=0$",
        ):
            torch.stft(x, 8, 0, window=self.W, return_complex=True)
        with pytest.raises(RuntimeError, match="istft requires a complex-valued input tensor"):
            torch.istft(x.reshape(5, 4), 8, window=self.W)
        with pytest.raises(RuntimeError, match=r"match n_fft / 2 [+] 1 when onesided=True, but got 4"):
            torch.istft(torch.ones(4, 4, dtype=torch.complex64), 8, window=self.W)

    def test_no_window_is_warned_of_once(self):
        forget()
        x = torch.arange(20.0)
        with pytest.warns(UserWarning, match="A window was not provided. A rectangular window will be applied,which"):
            torch.stft(x, 8, return_complex=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            torch.stft(x, 8, return_complex=True)


@pytest.mark.oracle
class TestBesideTorch:
    @pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "ihfft2"])
    def test_values_and_gradients(self, name):
        real = pytest.importorskip("torch")
        x = np.random.default_rng(0).standard_normal((3, 5))
        results = []
        for library in (real, torch):
            t = library.tensor(x, requires_grad=True)
            y = getattr(library.fft, name)(t, norm="ortho")
            (g,) = library.autograd.grad((y.abs() ** 3).sum(), t, create_graph=True)
            (h,) = library.autograd.grad(g.sum(), t)
            results.append([y.detach().resolve_conj().numpy(), g.detach().numpy(), h.numpy(), type(y.grad_fn).__name__])
        for ours, theirs in zip(results[1][:3], results[0][:3], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        assert results[0][3] == results[1][3]

    def test_spectrograms(self):
        real = pytest.importorskip("torch")
        x = np.random.default_rng(0).standard_normal((2, 30))
        results = []
        for library in (real, torch):
            t = library.tensor(x, requires_grad=True)
            w = library.hann_window(6, dtype=library.float64).requires_grad_()
            y = library.stft(t, 8, 3, 6, w, pad_mode="constant", return_complex=True)
            back = library.istft(y * 2, 8, 3, 6, w, length=30)
            grads = library.autograd.grad((back**3).sum() + (y.abs() ** 2).sum(), [t, w])
            results.append([y.detach().numpy(), back.detach().numpy(), *(g.numpy() for g in grads)])
        for ours, theirs in zip(*reversed(results), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
