"""The random number generator: MT19937, word for word PyTorch's CPU engine, and a counter for accelerators.

A CPU ``Generator`` hands out raw words; what becomes of them is ``_core/random_ops.py``'s and
``_ops/random/sampling.py``'s business. NumPy's MT19937 is the same engine, seeded the same way, so PyTorch's
numbers come out bit for bit as long as words are consumed in PyTorch's order:

- a 32-bit draw is one word, a 64-bit draw two words, the first one high;
- one normal number may be cached: Box-Muller makes two at a time. It belongs to the generator, not to
  a dtype, and only ``manual_seed``, ``seed`` and ``set_state_bytes`` clear it.

A generator of another device holds a seed and a counter only. Each draw takes the next value of the counter;
both travel to the device as operands (``device_counter``), so that drawing never recompiles a program.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any, Self

import numpy as np

from .device import device as Device

DEFAULT_SEED = 67280421310721
STATE_BYTES = 5056  # PyTorch's CPU state
DEVICE_STATE_BYTES = 16  # seed and counter, as PyTorch lays out an accelerator's state

_WORDS = 624
_SMALL = 192  # up to here random_raw is quicker than Generator.integers, which pays 4 microseconds up front

# The CPU state as one record, little endian: the engine, then the cached normal.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("words", "<u8", (_WORDS,)),
        ("normal_x", "<f8"),
        ("normal", "<f8"),
        ("normal_rho", "<f8"),
        ("normal_valid", "<i4"),
        ("unused", "V12"),
    ]
)
assert _STATE.itemsize == STATE_BYTES


def checked_seed(seed: Any) -> int:
    """``seed`` as an unsigned 64-bit number; a negative one counts from 2**64 downwards."""
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long")
    return seed % 2**64


class Generator:
    """A source of random numbers with its own state, as ``torch.Generator``.

    Args:
        device: ``"cpu"`` for PyTorch's numbers bit for bit, else a device whose numbers come from a counter.

    >>> Generator().manual_seed(0).words32(2)
    array([2357136044, 2546248239], dtype=uint32)
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = Device(device)
        self.is_cpu = self.device.type == "cpu"
        self.lock = threading.RLock()
        self.cached_normal: float | None = None
        self._counter = 0
        if self.is_cpu:
            self._bits = np.random.MT19937(0)
            self._seeder = np.random.RandomState(self._bits)
            self._filler = np.random.Generator(self._bits)
        self._reset(DEFAULT_SEED)

    def _reset(self, seed: int) -> None:
        with self.lock:
            self._seed = seed
            self._counter = 0
            self.cached_normal = None
            if self.is_cpu:
                self._seeder.seed(seed & 0xFFFFFFFF)

    def manual_seed(self, seed: int) -> Self:
        """Start over from ``seed``, any integer in ``[-2**63, 2**64)``; returns the generator."""
        self._reset(checked_seed(seed))
        return self

    def seed(self) -> int:
        """Start over from a seed that the operating system gives; returns that seed."""
        seed = secrets.randbits(64)
        self._reset(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed this generator started from, between 0 and 2**64 - 1."""
        return self._seed

    # Raw words. Draws that take several steps hold ``lock`` around all of them.

    def words32(self, n: int) -> np.ndarray:
        """The next ``n`` words of 32 bits, as uint32."""
        with self.lock:
            if n <= _SMALL:
                return self._bits.random_raw(n).astype(np.uint32)
            return self._filler.integers(0, 2**32, size=n, dtype=np.uint32)

    def words64(self, n: int) -> np.ndarray:
        """The next ``n`` draws of 64 bits, each two words with the first one high, as uint64."""
        with self.lock:
            if n <= _SMALL:
                pairs = self._bits.random_raw(2 * n)
                return (pairs[::2] << np.uint64(32)) | pairs[1::2]
            return self._filler.integers(0, 2**64 - 1, size=n, dtype=np.uint64, endpoint=True)

    def word_list(self, n: int) -> list[int]:
        """The next ``n`` words of 32 bits as Python integers: the quickest for a few."""
        with self.lock:
            return self._bits.random_raw(n).tolist()

    def device_counter(self) -> tuple[int, int]:
        """Seed and counter of one draw on an accelerator, each as the int64 of the same bits."""
        with self.lock:
            counter = self._counter
            self._counter = (counter + 1) % 2**64
        return _signed(self._seed), _signed(counter)

    # State.

    def get_offset(self) -> int:
        """The counter of an accelerator's generator."""
        if self.is_cpu:
            raise RuntimeError("CPU Generator does not use offset")
        return self._counter

    def set_offset(self, offset: int) -> None:
        """Set the counter of an accelerator's generator."""
        if self.is_cpu:
            raise RuntimeError("CPU Generator does not use offset")
        with self.lock:
            self._counter = int(offset) % 2**64

    def state_bytes(self) -> np.ndarray:
        """The state as PyTorch lays it out: 5,056 uint8 for the CPU, 16 (seed, counter) for other devices."""
        with self.lock:
            if not self.is_cpu:
                return np.array([self._seed, self._counter], "<u8").view(np.uint8)
            return self._cpu_record().view(np.uint8)

    def _cpu_record(self) -> np.ndarray:
        engine = self._bits.state["state"]
        position = engine["pos"]
        record = np.zeros(1, _STATE)
        record["seed"], record["seeded"], record["words"] = self._seed, 1, engine["key"]
        # PyTorch makes new words before the first draw of a block, NumPy too; but PyTorch writes an engine
        # that has not drawn yet as position 0, and NumPy as position 624.
        fresh = position == _WORDS and np.array_equal(engine["key"], _initial_words(self._seed))
        record["next"] = 0 if fresh else position
        record["left"] = _WORDS + 1 - position
        if self.cached_normal is not None:
            record["normal"], record["normal_valid"] = self.cached_normal, 1
        return record

    def set_state_bytes(self, state: np.ndarray) -> None:
        """Take over a state of ``state_bytes`` or of PyTorch's ``get_state``, a uint8 array."""
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        state = np.ascontiguousarray(state).reshape(-1)
        expected = STATE_BYTES if self.is_cpu else DEVICE_STATE_BYTES
        if state.size != expected:
            kind = "a CPUGeneratorImplState of size 5056" if self.is_cpu else "an RNG state of size 16"
            raise RuntimeError(f"Expected {kind} but found the input RNG state size to be {state.size}")
        with self.lock:
            if self.is_cpu:
                self._set_cpu_record(state.view(_STATE)[0])
            else:
                self._seed, self._counter = (int(word) for word in state.view("<u8"))

    def _set_cpu_record(self, record: np.void) -> None:
        left, position = int(record["left"]), int(record["next"])
        if int(record["seeded"]) != 1 or not 1 <= left <= _WORDS or position > _WORDS:
            raise RuntimeError("Invalid mt19937 state")
        engine: Any = {"key": record["words"].astype(np.uint32), "pos": _WORDS if left == 1 else position}
        self._bits.state = {"bit_generator": "MT19937", "state": engine}
        self._seed = int(record["seed"])
        self.cached_normal = float(record["normal"]) if record["normal_valid"] else None

    def clone_state(self) -> Generator:
        """A new generator that stands where this one stands."""
        clone = Generator(self.device)
        clone.set_state_bytes(self.state_bytes())
        return clone

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.device, self.state_bytes())

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"


def _restore(cls: type[Generator], device: Any, state: np.ndarray) -> Generator:
    generator = cls(device)
    generator.set_state_bytes(state)
    return generator


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _initial_words(seed: int) -> np.ndarray:
    bits = np.random.MT19937(0)
    np.random.RandomState(bits).seed(seed & 0xFFFFFFFF)
    return bits.state["state"]["key"]


default_generator = Generator()
