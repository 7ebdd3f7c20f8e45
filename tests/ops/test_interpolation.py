"""Interpolation and sampling at the points of a grid: recorded values, refusals and warnings."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import torchish as torch
import torchish.nn.functional as F

LINE = torch.tensor([[[1.0, 2.0, 4.0]]])
IMAGE = torch.arange(16.0).reshape(1, 1, 4, 4)


def message(error: type[Exception], run) -> str:
    with pytest.raises(error) as caught:
        run()
    return str(caught.value)


class TestInterpolate:
    def test_nearest_and_nearest_exact_differ(self):
        line = torch.arange(5.0).reshape(1, 1, 5)
        assert F.interpolate(line, size=3).tolist() == [[[0, 1, 3]]]
        assert F.interpolate(line, size=3, mode="nearest-exact").tolist() == [[[0, 2, 4]]]

    def test_whole_factors_add_up_in_the_gradient(self):
        x = LINE.clone().requires_grad_()
        F.interpolate(x, scale_factor=3).sum().backward()
        assert x.grad.tolist() == [[[3, 3, 3]]]

    def test_corners_are_aligned_or_not(self):
        assert F.interpolate(LINE, size=5, mode="linear", align_corners=True).tolist() == [[[1, 1.5, 2, 3, 4]]]
        got = F.interpolate(LINE, size=6, mode="linear")
        np.testing.assert_allclose(got.numpy(), [[[1, 1.25, 1.75, 2.5, 3.5, 4]]], rtol=1e-6)

    def test_a_given_factor_counts_unless_it_is_recomputed(self):
        given = F.interpolate(LINE, scale_factor=1.5, mode="linear")
        recomputed = F.interpolate(LINE, scale_factor=1.5, mode="linear", recompute_scale_factor=True)
        np.testing.assert_allclose(given.numpy(), [[[1, 1.5, 2 + 1 / 3, 3.6666667]]], rtol=1e-6)
        np.testing.assert_allclose(recomputed.numpy(), [[[1, 1.625, 2.75, 4]]], rtol=1e-6)

    def test_an_infinite_element_stays_where_it_is(self):
        x = torch.tensor([[[1.0, 2.0, 3.0, float("inf")]]])
        assert F.interpolate(x, size=8, mode="linear")[0, 0, :5].isfinite().all()

    def test_antialiasing_averages_what_shrinks(self):
        got = F.interpolate(IMAGE, size=(2, 2), mode="bilinear", antialias=True)
        np.testing.assert_allclose(got.numpy().ravel(), [3.5714288, 5.1428576, 9.8571434, 11.4285717], rtol=1e-5)

    def test_bytes_are_rounded(self):
        x = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
        assert F.interpolate(x, size=(1, 4), mode="bilinear").tolist() == [[[[0, 64, 191, 255]]]]

    def test_area_averages(self):
        assert F.interpolate(IMAGE, scale_factor=0.5, mode="area").tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]

    def test_refusals(self):
        assert message(ValueError, lambda: F.interpolate(LINE)) == "either size or scale_factor should be defined"
        assert message(ValueError, lambda: F.interpolate(LINE, 2, 2.0)) == (
            "only one of size or scale_factor should be defined"
        )
        assert message(NotImplementedError, lambda: F.interpolate(LINE, 2, mode="bilinear")) == (
            "Got 3D input, but bilinear mode needs 4D input"
        )
        assert message(RuntimeError, lambda: F.interpolate(IMAGE, 0)) == (
            "Input and output sizes should be greater than 0, but got input (H: 4, W: 4) output (H: 0, W: 0)"
        )
        assert message(NotImplementedError, lambda: F.interpolate(LINE.long(), 2)) == (
            "\"compute_indices_weights_nearest\" not implemented for 'Long'"
        )
        assert message(ValueError, lambda: F.interpolate(LINE, 2, align_corners=True)).startswith(
            "align_corners option"
        )
        assert message(ValueError, lambda: F.interpolate(LINE, 2, antialias=True)).startswith("Anti-alias option")

    def test_the_old_names_warn_at_the_callers_line(self):
        for name, x in (("upsample", LINE), ("upsample_nearest", LINE), ("upsample_bilinear", IMAGE)):
            with pytest.warns(UserWarning, match=f"`nn.functional.{name}` is deprecated") as caught:
                getattr(F, name)(x, scale_factor=2)
            assert caught[0].filename == __file__

    def test_graph_names(self):
        x = IMAGE.clone().requires_grad_()
        assert type(F.interpolate(x, 2, mode="bicubic").grad_fn).__name__ == "UpsampleBicubic2DBackward0"
        assert type(F.interpolate(x, 2).grad_fn).__name__ == "UpsampleNearest2DBackward0"


class TestGridSample:
    def grid(self, *points):
        return torch.tensor(points, dtype=torch.float32).reshape(1, 1, -1, 2)

    def test_corners_are_aligned_or_not(self):
        grid = self.grid((-1, -1), (1, 1))
        assert F.grid_sample(IMAGE, grid, align_corners=True).tolist() == [[[[0, 15]]]]
        assert F.grid_sample(IMAGE, grid, align_corners=False).tolist() == [[[[0, 3.75]]]]

    @pytest.mark.parametrize(("padding", "expected"), [("zeros", 0.0), ("border", 7.0), ("reflection", 5.5)])
    def test_what_lies_outside(self, padding, expected):
        got = F.grid_sample(IMAGE, self.grid((2, -0.25)), padding_mode=padding, align_corners=False)
        np.testing.assert_allclose(got.item(), expected, rtol=1e-6)

    def test_nearest_rounds_halves_to_even(self):
        got = F.grid_sample(IMAGE, self.grid((0, -1), (-0.5, -1)), mode="nearest", align_corners=False)
        assert got.tolist() == [[[[2, 0]]]]

    def test_the_gradient_stops_at_the_border(self):
        grid = self.grid((2, 0.1)).requires_grad_()
        F.grid_sample(IMAGE, grid, padding_mode="border", align_corners=False).sum().backward()
        np.testing.assert_allclose(grid.grad.numpy().ravel(), [0, 8], rtol=1e-6)

    def test_the_default_is_warned_of(self):
        with pytest.warns(UserWarning, match="Default grid_sample and affine_grid behavior") as caught:
            F.grid_sample(IMAGE, self.grid((0, 0)))
        assert caught[0].filename == __file__

    def test_the_grid_of_the_identity_gives_the_image_back(self):
        theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
        for aligned in (True, False):
            grid = F.affine_grid(theta, (1, 1, 4, 4), align_corners=aligned)
            got = F.grid_sample(IMAGE, grid, align_corners=aligned)
            np.testing.assert_allclose(got.numpy(), IMAGE.numpy(), atol=1e-5)

    def test_refusals(self):
        assert message(RuntimeError, lambda: F.grid_sample(IMAGE, torch.zeros(2, 1, 1, 2), align_corners=False)) == (
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes [1, 1, 4, 4] "
            "and grid with sizes [2, 1, 1, 2]"
        )
        assert message(
            RuntimeError, lambda: F.grid_sample(IMAGE, torch.zeros(1, 1, 1, 2).double(), align_corners=False)
        ) == ("expected scalar type Float but found Double")
        volume, points = torch.zeros(1, 1, 2, 2, 2), torch.zeros(1, 1, 1, 1, 3)
        assert message(RuntimeError, lambda: F.grid_sample(volume, points, "bicubic", align_corners=False)) == (
            "grid_sampler(): bicubic interpolation only supports 4D input"
        )


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_images_are_pytorchs(mode, antialias):
    real = pytest.importorskip("torch")
    image = np.random.default_rng(0).uniform(0, 255, (1, 2, 6, 7))
    for dtype, tolerance in (("float32", 2e-3), ("float64", 1e-10), ("uint8", 0)):
        for options in ({"size": (9, 4)}, {"scale_factor": 1.7}, {"scale_factor": 0.6, "align_corners": True}):
            data = image.astype(dtype)
            want = real.nn.functional.interpolate(real.from_numpy(data), mode=mode, antialias=antialias, **options)
            got = F.interpolate(torch.from_numpy(data), mode=mode, antialias=antialias, **options)
            np.testing.assert_allclose(got.numpy(), want.numpy(), atol=tolerance, rtol=0)


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grids_are_pytorchs(mode, padding):
    real = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    image, grid = rng.normal(size=(2, 3, 4, 5)), rng.uniform(-2.5, 2.5, (2, 6, 2, 2))
    found = []
    for library in (real, torch):
        leaves = [library.tensor(x).requires_grad_() for x in (image, grid)]
        out = library.nn.functional.grid_sample(*leaves, mode, padding, align_corners=False)
        found.append([out.detach().numpy(), *(g.numpy() for g in library.autograd.grad((out * out).sum(), leaves))])
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-10)


def test_sizes_from_factors_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert F.interpolate(LINE, scale_factor=[2.0]).shape == (1, 1, 6)
