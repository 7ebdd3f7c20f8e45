"""Compiled windows, bounded; and XLA's persistent compilation cache."""

from __future__ import annotations

import os
import pathlib
from collections import OrderedDict
from typing import Generic, TypeVar

import jax

K = TypeVar("K")
V = TypeVar("V")


class LeastRecentlyUsed(Generic[K, V]):
    """A dict that forgets the entry that was not asked for the longest."""

    def __init__(self, size: int):
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        entries = self._entries
        found = entries.get(key)
        if found is not None and len(entries) > self._size // 2:  # the order matters to a full one alone
            entries.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        self._entries.clear()


def configure_jax() -> None:
    """Set JAX up before any array exists: 64-bit types are real, compiled programs are kept on disk.

    A result of float16 or bfloat16 is rounded also where its reader is in the same window: XLA would otherwise hand
    on the float32 that it computed, and what a program prints would depend on where its windows end.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_allow_excess_precision" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_allow_excess_precision=false".strip()
    jax.config.update("jax_enable_x64", True)
    configure_persistent_cache()


def configure_persistent_cache() -> None:
    """Turn XLA's persistent compilation cache on, so that a script's second start compiles nothing.

    ``TORCHISH_CACHE_DIR`` names the folder, or ``off``; without it, it is ``torchish`` in the user's
    cache folder. A cache folder that the user has set for JAX stays.
    """
    setting = os.environ.get("TORCHISH_CACHE_DIR")
    if setting == "off" or jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
        return
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(setting) if setting else pathlib.Path(base) / "torchish"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # A home that cannot be written to only costs the second start its compilations.
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
