"""Copies of views, writes into copies, grids, borrowed memory, and Tensor methods about memory."""

from __future__ import annotations

import array
import math

import numpy as np
import pytest

import torchish as torch


def node(t: torch.Tensor) -> str:
    return type(t.grad_fn).__name__


class TestCopies:
    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("alias", ()),
            ("diagonal", ()),
            ("expand", ((2, 2, 3),)),
            ("permute", ((1, 0),)),
            ("select", (1, 0)),
            ("slice", (1, 0, 2)),
            ("squeeze", (0,)),
            ("t", ()),
            ("transpose", (0, 1)),
            ("unfold", (1, 2, 1)),
            ("unsqueeze", (0,)),
            ("view", ((3, 2),)),
            ("as_strided", ((2, 2), (3, 1))),
        ],
    )
    def test_they_share_nothing_and_are_named_after_the_view(self, name, arguments):
        x = torch.arange(6.0).reshape(2, 3).requires_grad_()
        made = getattr(torch, f"{name}_copy")(x, *arguments)
        assert node(made).endswith("_copy") and made._base is None
        made.sum().backward()
        taken = {"diagonal": 2, "expand": 12, "select": 2, "slice": 4, "unfold": 8, "as_strided": 4}
        assert float(x.grad.sum()) == taken.get(name, 6)
        with torch.no_grad():
            made.zero_()
        assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]

    def test_pieces_share_one_node(self):
        x = torch.arange(3.0).requires_grad_()
        a, b = torch.split_copy(x, 2)
        assert a.grad_fn is b.grad_fn and node(a) == "SplitBackward0_copy"
        (a.sum() * 2 + b.sum()).backward()
        assert x.grad.tolist() == [2.0, 2.0, 1.0]

    def test_a_copy_takes_any_shape(self):
        assert torch.view_copy(torch.arange(6).reshape(2, 3).t(), (6,)).tolist() == [0, 3, 1, 4, 2, 5]

    def test_out_must_have_the_dtype(self):
        out = torch.empty(0)
        assert torch.select_copy(torch.ones(2, 2), 0, 0, out=out) is out and out.tolist() == [1.0, 1.0]
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got double instead"):
            torch.select_copy(torch.ones(2, 2), 0, 0, out=torch.empty(0).double())

    def test_unsafe_pieces_may_be_changed_in_place(self):
        x = torch.arange(4.0).requires_grad_() * 1
        a, b = torch.unsafe_chunk(x, 2)
        assert node(a) == "UnsafeSplitBackward0" and not a._is_view()
        a.mul_(2)
        assert b.tolist() == [2.0, 3.0]
        with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
            torch.chunk(x, 2)[0].mul_(2)


class TestScatters:
    def test_values_gradients_and_names(self):
        x, src = torch.zeros(3, 4, requires_grad=True), torch.ones(3, requires_grad=True)
        made = torch.select_scatter(x, src, 1, -1)
        assert node(made) == "SelectScatterBackward0"
        (made * torch.arange(12.0).reshape(3, 4)).sum().backward()
        assert src.grad.tolist() == [3.0, 7.0, 11.0]
        assert x.grad[:, 3].tolist() == [0.0] * 3 and float(x.grad.sum()) == 66 - 21
        assert torch.slice_scatter(torch.zeros(5), torch.ones(2), 0, 1, None, 2).tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
        assert torch.diagonal_scatter(torch.zeros(2, 3), torch.ones(2), 1).tolist() == [[0, 1, 0], [0, 0, 1]]

    def test_a_strided_scatter_counts_in_the_storage(self):
        x = torch.arange(6.0).reshape(2, 3).t()  # the Storage holds 0 to 5 in order
        made = torch.as_strided_scatter(x, torch.tensor([7.0, 8.0]), (2,), (1,))
        assert made.tolist() == [[7.0, 3.0], [8.0, 4.0], [2.0, 5.0]]

    def test_the_dtype_is_the_inputs(self):
        made = torch.select_scatter(torch.zeros(2, 2, dtype=torch.int64), torch.tensor([1.7, 2.2]), 0, 0)
        assert made.tolist() == [[1, 2], [0, 0]]

    @pytest.mark.parametrize(
        "call",
        [
            lambda x, s: torch.select_scatter(x, s, 0, 0),
            lambda x, s: torch.slice_scatter(x, s),
            lambda x, s: torch.diagonal_scatter(x, s),
            lambda x, s: torch.as_strided_scatter(x, s, (3,), (1,)),
        ],
    )
    def test_a_source_of_another_shape_is_refused(self, call):
        with pytest.raises(
            RuntimeError, match=r"expected src to have a size equal to the slice of self. src size = \[5\]"
        ):
            call(torch.zeros(3, 4), torch.zeros(5))

    def test_indices_need_be_in_range_only_under_the_mask(self):
        x, mask = torch.arange(4.0), torch.tensor([True, False])
        assert torch._unsafe_masked_index(x, mask, [torch.tensor([2, 99])], -1.0).tolist() == [2.0, -1.0]
        added = torch._unsafe_masked_index_put_accumulate(x, mask, [torch.tensor([2, 99])], torch.tensor([10.0, 20.0]))
        assert added.tolist() == [0.0, 1.0, 12.0, 3.0]


class TestGrids:
    def test_indexing(self):
        x, y = torch.tensor([1, 2, 3]), torch.tensor([4, 5])
        assert [g.shape for g in torch.meshgrid(x, y, indexing="ij")] == [(3, 2)] * 2
        a, b = torch.meshgrid([x, y], indexing="xy")
        assert (a.tolist(), b.tolist()) == ([[1, 2, 3], [1, 2, 3]], [[4, 4, 4], [5, 5, 5]])
        with pytest.raises(RuntimeError, match='must be one of "xy" or "ij", but received: yx'):
            torch.meshgrid(x, y, indexing="yx")
        with pytest.raises(RuntimeError, match="expects all tensors to have the same dtype"):
            torch.meshgrid(x, y.float(), indexing="ij")

    def test_it_warns_unless_told_how_to_index(self):
        torch.set_warn_always(True)
        try:
            with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
                torch.meshgrid(torch.tensor([1]))
        finally:
            torch.set_warn_always(False)

    def test_shapes(self):
        assert torch.atleast_3d(torch.ones(2)).shape == (1, 2, 1)
        assert [t.shape for t in torch.atleast_2d(torch.tensor(1), torch.ones(2))] == [(1, 1), (1, 2)]
        assert torch.broadcast_shapes((2,), (3, 1), 1) == torch.Size([3, 2])
        with pytest.raises(RuntimeError, match="Mismatching argument at index 1 had"):
            torch.broadcast_shapes((2,), (3,))
        assert [t.tolist() for t in torch.unravel_index(torch.tensor([4, -1]), (2, 3))] == [[1, 1], [1, 2]]
        assert torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)

    def test_triangle_indices(self):
        assert torch.tril_indices(2, 3).tolist() == [[0, 1, 1], [0, 0, 1]]
        assert torch.triu_indices(2, 3, 1, dtype=torch.int32, device="cpu").tolist() == [[0, 0, 1], [1, 2, 2]]
        with pytest.raises(NotImplementedError, match="\"triu_indices\" not implemented for 'Float'"):
            torch.triu_indices(2, 3, dtype=torch.float32)
        with pytest.raises(RuntimeError, match="row must be non-negative, got-1"):
            torch.tril_indices(-1, 3)

    def test_sizes_are_whole(self):
        assert torch.Size(n for n in (1, 2)) == (1, 2)
        with pytest.raises(TypeError, match=r"takes an iterable of 'int' \(item 1 is 'float'\)"):
            torch.Size([1, 2.5])


class TestBorrowedMemory:
    def test_a_buffer_is_shared_both_ways(self):
        buffer = array.array("i", [1, 2, 3])
        t = torch.frombuffer(buffer, dtype=torch.int32, offset=4)
        t[0] = 7
        buffer[2] = 9
        assert (list(buffer), t.tolist()) == ([1, 7, 9], [7, 9])

    @pytest.mark.parametrize(
        ("named", "text"),
        [
            ({"count": 3}, r"requested buffer length \(3 \* 4 bytes\)"),
            ({"offset": 9}, "no greater than buffer length"),
            ({"offset": 3}, "must be a multiple of element size"),
            ({"count": 0}, "must not be 0"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, named, text):
        with pytest.raises(ValueError, match=text):
            torch.frombuffer(bytearray(8), dtype=torch.float32, **named)

    def test_a_file_is_written_through_where_shared(self, tmp_path):
        name = str(tmp_path / "numbers")
        torch.from_file(name, shared=True, size=3, dtype=torch.float64).copy_(torch.tensor([1.0, 2.0, 3.0]))
        private = torch.from_file(name, size=3, dtype=torch.float64)
        private.zero_()
        assert np.fromfile(name).tolist() == [1.0, 2.0, 3.0]

    def test_dlpack_both_ways(self):
        source = np.arange(3.0)
        t = torch.from_dlpack(source)
        t.add_(1)
        assert source.tolist() == [1.0, 2.0, 3.0]
        assert np.from_dlpack(t).tolist() == [1.0, 2.0, 3.0]
        half = torch.tensor([1.5], dtype=torch.bfloat16)
        assert torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(half)).tolist() == [1.5]
        with pytest.raises(BufferError, match="require gradient"):
            torch.utils.dlpack.to_dlpack(torch.ones(1, requires_grad=True))

    def test_asarray_shares_unless_told_to_copy(self):
        x, source = torch.ones(2), np.ones(2, np.float32)
        assert torch.asarray(x) is x and torch.asarray(x, copy=True) is not x
        torch.asarray(source)[0] = 3
        torch.asarray(source, copy=True)[1] = 4
        assert source.tolist() == [3.0, 1.0]
        assert torch.asarray(bytearray([1, 0, 2, 0]), dtype=torch.int16).tolist() == [1, 2]
        assert torch.asarray([1, 2.5], requires_grad=True).requires_grad
        with pytest.raises(ValueError, match="can't alias tensor with dtype 'Float' into dtype 'Long'"):
            torch.asarray(x, dtype=torch.int64, copy=False)
        with pytest.raises(ValueError, match="can't alias arbitrary sequence into a tensor"):
            torch.asarray([1], copy=False)

    @pytest.mark.filterwarnings("ignore:os.fork")
    def test_shared_memory_reaches_a_forked_process(self):
        import os

        t = torch.zeros(2).share_memory_()
        assert t.is_shared() and not torch.zeros(2).is_shared()
        host = t.numpy()
        if (child := os.fork()) == 0:
            host[1] = 5.0  # no XLA in a forked process
            os._exit(0)
        os.waitpid(child, 0)
        assert t.tolist() == [0.0, 5.0]


class TestStorages:
    def test_bytes_of_every_kind_of_element(self):
        assert torch.tensor([True, False]).untyped_storage().tolist() == [1, 0]
        assert torch.tensor([1.0], dtype=torch.bfloat16).untyped_storage().tolist() == [128, 63]
        assert torch.tensor([1j]).untyped_storage().tolist() == [0, 0, 0, 0, 0, 0, 128, 63]
        assert len(torch.empty(0).untyped_storage()) == 0

    def test_views_share_it_and_writes_reach_them(self):
        x = torch.tensor([1.0, 2.0, 3.0])
        storage = x[1:].untyped_storage()
        assert storage is x.untyped_storage() and torch.is_storage(storage)
        assert storage.data_ptr() == x.data_ptr() and storage.nbytes() == 12
        storage[3] = 0x40
        assert x.tolist() == [4.0, 2.0, 3.0]
        assert torch.zeros(0).set_(storage, 1, (2,), (1,)).tolist() == [2.0, 3.0]
        with pytest.raises(IndexError, match="index 12 out of range for storage of size 12"):
            storage[12]

    def test_elements(self):
        torch.set_warn_always(True)
        try:
            with pytest.warns(UserWarning, match="TypedStorage is deprecated"):
                typed = torch.tensor([1.0, 2.0])[1:].storage()
        finally:
            torch.set_warn_always(False)
        assert (typed.tolist(), typed.dtype, typed.type()) == ([1.0, 2.0], torch.float32, "torch.FloatStorage")


class TestMethods:
    def test_python_functions_of_elements(self):
        t = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        assert t.t().apply_(lambda x: x * 10).tolist() == [[10.0, 30.0], [20.0, 40.0]]
        assert t.map_(torch.tensor([1.0, 2.0]), lambda x, y: x + y).tolist() == [[11.0, 22.0], [31.0, 42.0]]
        with pytest.raises(TypeError, match=r"map_: expected torch.FloatTensor for 'other' \(got torch.DoubleTensor\)"):
            t.map_(t.double(), lambda x, y: x)
        with pytest.raises(RuntimeError, match=r"Can't call apply_\(\) on Variable that requires grad"):
            t.requires_grad_().apply_(lambda x: x)

    def test_diagonals_of_tall_matrices_wrap(self):
        tall = torch.zeros(5, 2).fill_diagonal_(1, wrap=True)
        assert tall.tolist() == [[1, 0], [0, 1], [0, 0], [1, 0], [0, 1]]
        with pytest.raises(RuntimeError, match="all dimensions of input must be of equal length"):
            torch.zeros(2, 2, 3).fill_diagonal_(1)

    def test_sum_to_size_undoes_broadcasting(self):
        x = torch.ones(2, 3, 4)
        assert x.sum_to_size(3, 1).tolist() == [[8.0]] * 3
        assert x.sum_to_size(2, 3, 4) is x
        with pytest.raises(RuntimeError, match=r"size \{\[2\]\} is not expandable to size \{\[2, 3, 4\]\}"):
            x.sum_to_size(2)

    def test_dimensions_in_memory_order(self):
        assert torch.ones(2, 3, 4).permute(2, 0, 1).dim_order() == (1, 2, 0)
        with pytest.raises(RuntimeError, match="does not have unique dim order"):
            torch.ones(1, 3).dim_order(ambiguity_check=True)

    def test_a_subclass_shares_the_data(self):
        class Mine(torch.Tensor):
            pass

        t = torch.zeros(2)
        mine = t.as_subclass(Mine)
        mine.add_(1)
        assert type(mine) is Mine and t.tolist() == [1.0, 1.0]


class TestRandom:
    def test_counts_have_the_right_means_and_leave_the_generator_where_pytorch_does(self):
        torch.manual_seed(0)
        rates = torch.tensor([0.5, 4.0, 12.0, 100.0, 1e4])
        assert torch.poisson(rates).tolist() == [2.0, 5.0, 10.0, 89.0, 10035.0]  # PyTorch 2.13's numbers
        many = torch.poisson(torch.full((3000,), 20.0))
        assert abs(float(many.mean()) - 20) < 0.5 and abs(float(many.var()) - 20) < 2
        assert torch.binomial(torch.tensor([3.0, 5.0, 2.0]), torch.tensor([0.0, 1.0, math.nan])).tolist()[:2] == [0, 5]

    def test_refusals(self):
        with pytest.raises(RuntimeError, match="invalid Poisson rate, expected rate to be non-negative"):
            torch.poisson(torch.tensor([-1.0]))
        with pytest.raises(TypeError, match=r"argument 'size' \(position 2\) must be tuple of ints, not int"):
            torch.randint(10, 3)
        with pytest.raises(TypeError, match=r"argument 'high' \(position 1\) must be int, not float"):
            torch.randint(10.5, (2,))
        with pytest.raises(RuntimeError, match=r"normal expects all elements of std >= 0\.0"):
            torch.normal(torch.zeros(2), -torch.ones(2)).tolist()
        with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
            torch.Generator("bogus")
        assert torch.Generator().device == torch.device("cpu")
        assert torch.manual_seed(1.5).initial_seed() == 1


@pytest.mark.oracle
def test_counts_are_pytorchs_numbers():
    real = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    rates, trials, chances = rng.exponential(12, 700), rng.integers(0, 60, 700).astype(float), rng.random(700)
    drawn = []
    for module in (torch, real):
        module.manual_seed(3)
        counts = module.poisson(module.tensor(rates))
        successes = module.binomial(module.tensor(trials), module.tensor(chances))
        drawn.append([counts.numpy(), successes.numpy(), module.rand(3).numpy()])
    for ours, theirs in zip(*drawn, strict=True):
        np.testing.assert_array_equal(ours, theirs)
