"""Let FlowIO and fcsparser read the same file, and say whether they agree with us.

Neither is believed: where they differ from the evidence in the file, the reason
stands in ``docs/fcs_readers.md``. What they are asked for is the stored values,
names and number of events, since their linear scales follow other rules.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.ledger import shown
from cytometry.model.sample import Sample

Verdict = Literal["agrees", "differs", "cannot read"]
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one other reader makes of the file.

    Parameters
    ----------
    reader
        Its name and version.
    verdict
        Whether number of events, names and stored values are equal to ours.
    detail
        What differs, or its error.
    """

    reader: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """All opinions on one data set."""

    opinions: tuple[Opinion, ...]

    def __str__(self) -> str:
        return "; ".join(f"{o.reader} {o.verdict}{f' ({o.detail})' if o.detail else ''}" for o in self.opinions)

    @property
    def summary(self) -> str:
        """One word for a table: ``agree``, ``differ``, or ``none`` where no other reader could read the file."""
        verdicts = {o.verdict for o in self.opinions}
        return "differ" if "differs" in verdicts else "agree" if "agrees" in verdicts else "none"


_Reading = tuple[tuple[str, ...], npt.NDArray[np.float64]]


def ask_others(sample: Sample, *, dataset: int = 0) -> Agreement:
    """Let the other readers read the file of a sample that was just read."""
    import fcsparser
    import flowio

    readers: tuple[tuple[str, Callable[[str, int], _Reading]], ...] = (
        (f"FlowIO {flowio.__version__}", read_with_flowio),
        (f"fcsparser {fcsparser.__version__}", read_with_fcsparser),
    )
    ours = (tuple(sample.channel_names), sample.raw())
    return Agreement(tuple(_ask(name, read, sample.name, dataset, ours) for name, read in readers))


def _ask(reader: str, read: Callable[[str, int], _Reading], file: str, dataset: int, ours: _Reading) -> Opinion:
    with _silence():
        # Within the silence to the end: a file that a failing reader left open complains when it is let go.
        reading = _attempt(read, file, dataset)
    if isinstance(reading, str):
        return Opinion(reader, "cannot read", reading)
    differences = list(_differences(*reading, *ours))
    return Opinion(reader, "differs" if differences else "agrees", "; ".join(differences)[:_SHOWN])


def _attempt(read: Callable[[str, int], _Reading], file: str, dataset: int) -> _Reading | str:
    """What a reader read, or its error in one line."""
    try:
        return read(file, dataset)
    except Exception as error:  # noqa: BLE001 - other people's readers raise anything at all on odd files
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return shown(message.replace(file, "the file"))[:_SHOWN]


def _differences(
    names: tuple[str, ...],
    values: npt.NDArray[np.float64],
    our_names: tuple[str, ...],
    our_values: npt.NDArray[np.float64],
) -> Iterator[str]:
    if values.shape != our_values.shape:
        (n, p), (our_n, our_p) = values.shape, our_values.shape
        yield f"{n} events × {p} channels, ours {our_n} × {our_p}"
        return
    if names != our_names:
        at = next((i for i, (a, b) in enumerate(zip(names, our_names, strict=False)) if a != b), len(names))
        theirs, mine = (n[at] if at < len(n) else "nothing" for n in (names, our_names))
        yield f"channel {at + 1} is '{shown(theirs)}', ours '{shown(mine)}'"
    unequal = ~((values == our_values) | (np.isnan(values) & np.isnan(our_values)))
    if unequal.any():
        row, column = (int(i) for i in np.argwhere(unequal)[0])
        yield (
            f"{int(unequal.sum())} values, first event {row + 1} of '{shown(our_names[column])}': "
            f"{values[row, column]:g}, ours {our_values[row, column]:g}"
        )


def read_with_flowio(file: str, dataset: int) -> _Reading:
    """What FlowIO finds in a data set."""
    import flowio

    if dataset:
        data = flowio.read_multiple_data_sets(file, ignore_offset_error=True)[dataset]
    else:
        try:
            data = flowio.FlowData(file, ignore_offset_error=True)
        except flowio.exceptions.MultipleDataSetsError:
            data = flowio.read_multiple_data_sets(file, ignore_offset_error=True)[0]
    values = np.asarray(data.as_array(preprocess=False), dtype=np.float64)
    return tuple(str(label) for label in data.pnn_labels), values


def read_with_fcsparser(file: str, dataset: int) -> _Reading:
    """What fcsparser finds in a data set, with a shim for big-endian files under NumPy 2."""
    import fcsparser

    with _newbyteorder_for_numpy_2():
        meta, table = fcsparser.parse(file, data_set=dataset, reformat_meta=False)
    values = np.asarray(table.to_numpy(), dtype=np.float64)
    names = tuple(str(meta.get(f"$P{i}N", "")) for i in range(1, values.shape[1] + 1))
    return names, values


class _ByteSwappable(np.ndarray):
    """An array that still has the method which NumPy 2 took away."""

    def newbyteorder(self, order: Any = "S") -> Any:
        return self.view(self.dtype.newbyteorder(order))


@contextmanager
def _newbyteorder_for_numpy_2() -> Iterator[None]:
    """fcsparser 0.2.4, the last that NumPy 2 permits, calls ``ndarray.newbyteorder`` on what it reads."""
    import fcsparser.api

    original = fcsparser.api.fromfile
    fcsparser.api.fromfile = lambda *args, **kwargs: original(*args, **kwargs).view(_ByteSwappable)
    try:
        yield
    finally:
        fcsparser.api.fromfile = original


@contextmanager
def _silence() -> Iterator[None]:
    """Their warnings and log lines are about their own troubles."""
    logger = logging.getLogger("fcsparser")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
