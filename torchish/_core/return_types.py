"""Named results: ``torch.return_types.max(values=..., indices=...)``."""

from __future__ import annotations

from typing import Any


class NamedResult(tuple):
    """A tuple whose entries also have names, printed as PyTorch prints it."""

    _fields: tuple[str, ...] = ()
    __slots__ = ()

    def __repr__(self) -> str:
        entries = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{entries})"

    def __reduce__(self) -> Any:
        return _rebuild, (type(self).__name__, self._fields, tuple(self))


def _rebuild(name: str, fields: tuple[str, ...], values: tuple) -> NamedResult:
    return make(name, fields)(values)


def make(name: str, fields: tuple[str, ...]) -> type[NamedResult]:
    """The class of results called ``name`` with these fields; one class a name."""
    found = globals().get(name)
    if isinstance(found, type) and issubclass(found, NamedResult) and found._fields == fields:
        return found
    members: dict[str, Any] = {"_fields": fields, "__slots__": (), "__module__": "torch.return_types"}
    for index, field in enumerate(fields):
        members[field] = property(lambda self, index=index: self[index])  # type: ignore[misc]
    made = type(name, (NamedResult,), members)
    globals()[name] = made
    return made
