"""One list-mode data set: channels, keywords and lazily read columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.model.channels import Channel
from cytometry.model.findings import Finding
from cytometry.model.spillover import Spillover

FloatArray = npt.NDArray[np.float64]
NumberArray = npt.NDArray[Any]
Rows = npt.NDArray[np.integer[Any]]
T = TypeVar("T")


class Deferred(Generic[T]):
    """A dataclass field that may be given as a function, called when first read.

    Hashing a file and looking at each of its values cost more than reading
    three of its columns; who does not ask does not pay.
    """

    def __init__(self, default: T) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> T: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T:
        if instance is None:
            return self._default
        value = instance.__dict__[self._slot]
        if callable(value):
            value = instance.__dict__[self._slot] = value()
        return value  # type: ignore[no-any-return]

    def __set__(self, instance: object, value: T | Callable[[], T]) -> None:
        instance.__dict__[self._slot] = value


class LinearScale(NamedTuple):
    """A linear value is the stored one times ``factor``, over ``divisor``; one of them is 1."""

    factor: float
    divisor: float


AS_STORED = LinearScale(1.0, 1.0)


class Columns(Protocol):
    """Where a sample's numbers come from: a mapped file or an array.

    ``rows`` picks events; None takes all.
    """

    def raw(self, index: int, rows: Rows | None = None) -> NumberArray:
        """One column as stored after masking, native byte order, read-only."""
        ...

    def linear(self, index: int, rows: Rows | None = None) -> NumberArray:
        """One column on the linear scale (log amplification, gain, time step applied)."""
        ...

    def matrix(self) -> NumberArray | None:
        """Events × channels as stored, if one mapped array holds them and linear equals raw.

        May be big-endian. None where columns differ in type or need scaling.
        """
        ...

    def stored(self) -> NumberArray | None:
        """Events × channels as stored, if one mapped array holds them, scaled or not.

        ``linear_scale(i)`` makes ``stored()[:, i]`` linear: most files have a
        time step and no other scale.
        """
        ...

    def linear_scale(self, index: int) -> LinearScale | None:
        """How stored values become linear ones; None where it takes more than a factor."""
        ...

    def forget(self, first: int, n: int) -> None:
        """Let go of the memory that reading ``n`` events from ``first`` on brought in; they can be read again."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayColumns:
    """Columns of an array that is already linear (simulated or imported events)."""

    events: NumberArray

    def __post_init__(self) -> None:
        view = self.events.view()
        view.setflags(write=False)
        object.__setattr__(self, "events", view)

    def raw(self, index: int, rows: Rows | None = None) -> NumberArray:
        return self.events[:, index] if rows is None else self.events[rows, index]

    def linear(self, index: int, rows: Rows | None = None) -> NumberArray:
        return self.raw(index, rows)

    def matrix(self) -> NumberArray | None:
        return self.events

    def stored(self) -> NumberArray | None:
        return self.events

    def linear_scale(self, index: int) -> LinearScale | None:
        return AS_STORED

    def forget(self, first: int, n: int) -> None:
        """An array is all there is."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Events of one tube, as read.

    Parameters
    ----------
    name
        Path or label as given by the user; identity is ``sha256``.
    channels
        In file order.
    n_events
        Number of events.
    columns
        Source of the numbers, read when asked for.
    keywords
        TEXT segment; standard keys upper-case with ``$``.
    spillover
        The acquisition matrix, None if the file has none. It is checked when used.
    findings
        What the reader noticed. May be given as a function.
    sha256
        Of the file's bytes, lower-case hex; ``""`` if there is no file. May be
        given as a function.
    """

    name: str
    channels: tuple[Channel, ...]
    n_events: int
    columns: Columns
    keywords: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    spillover: Spillover | None = None
    findings: Deferred[tuple[Finding, ...]] = Deferred(())
    sha256: Deferred[str] = Deferred("")

    @classmethod
    def from_array(
        cls,
        events: NumberArray,
        channels: tuple[Channel, ...],
        *,
        name: str = "array",
        spillover: Spillover | None = None,
        keywords: Mapping[str, str] | None = None,
    ) -> Sample:
        """Wrap linear events × channels as a sample."""
        return cls(
            name=name,
            channels=channels,
            n_events=int(events.shape[0]),
            columns=ArrayColumns(events),
            keywords=MappingProxyType(dict(keywords or {})),
            spillover=spillover,
        )

    @property
    def channel_names(self) -> tuple[str, ...]:
        """``$PnN`` in file order."""
        return tuple(c.name for c in self.channels)

    def index_of(self, name: str) -> int:
        """Position of the channel whose ``$PnN`` is ``name``.

        Raises
        ------
        GatingError
            No channel, or more than one, has that name.
        """
        hits = [c.index for c in self.channels if c.name == name]
        if len(hits) != 1:
            problem = "has no channel" if not hits else "has more than one channel"
            raise GatingError(
                f"{problem} named '{name}'",
                where=self.name,
                hint=f"channels: {', '.join(self.channel_names)}",
                code="CHANNEL_MISSING" if not hits else "CHANNEL_AMBIGUOUS",
            )
        return hits[0]

    def raw_column(self, index: int) -> NumberArray:
        """One column as stored after masking."""
        return self.columns.raw(index)

    def linear_column(self, index: int, rows: Rows | None = None) -> NumberArray:
        """One column on the linear scale, of all events or of ``rows``."""
        return self.columns.linear(index, rows)

    def raw(self) -> FloatArray:
        """Events × channels as stored after masking, float64."""
        return self._stack(self.columns.raw, lambda i: True)

    def linear(self) -> FloatArray:
        """Events × channels on the linear scale, float64."""
        return self._stack(self.columns.linear, lambda i: self.columns.linear_scale(i) == AS_STORED)

    def _stack(self, read: Callable[[int], NumberArray], is_as_stored: Callable[[int], bool]) -> FloatArray:
        out = np.empty((self.n_events, len(self.channels)), dtype=np.float64)
        stored = self.columns.stored()
        with np.errstate(invalid="ignore"):  # a signalling NaN in the file stays a NaN
            if stored is not None:
                out[...] = stored
            for i in range(len(self.channels)):
                if stored is None or not is_as_stored(i):
                    out[:, i] = read(i)
        return out
