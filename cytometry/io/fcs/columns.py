"""A sample's numbers, read from the mapped file when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.crc import check_crc
from cytometry.io.fcs.layout import Layout, read_matrix, read_stored, to_native
from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.parameters import Parameter
from cytometry.io.fcs.source import Source
from cytometry.io.fcs.transfer import find_filled_block
from cytometry.model.findings import Finding
from cytometry.model.sample import LinearScale, Rows

NumberArray = npt.NDArray[Any]
# Bytes that are looked at in one go when all values are checked: enough to be fast, little beside the file.
_CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, eq=False)
class MappedColumns:
    """Columns over the mapped bytes of DATA.

    Parameters
    ----------
    source
        The file.
    begin
        First byte of DATA in the file.
    n_events
        Events to be read; DATA is known to hold them.
    layout, parameters
        How to read and scale them.
    strict
        Whether doubtful values are an error among the findings.
    dataset
        For the findings.
    extent
        First byte of the data set in the file and first behind it.
    last_byte
        Of its last segment.
    """

    source: Source
    begin: int
    n_events: int
    layout: Layout
    parameters: tuple[Parameter, ...]
    strict: bool
    dataset: int
    extent: tuple[int, int]
    last_byte: int

    def raw(self, index: int, rows: Rows | None = None) -> NumberArray:
        stored = read_stored(self.source.data, self.begin, self.n_events, self.layout, index)
        column = to_native(stored if rows is None else stored[rows])
        mask = self.layout.fields[index].mask
        if mask is not None:
            column = column & column.dtype.type(mask)
        column.setflags(write=False)
        return column

    def linear(self, index: int, rows: Rows | None = None) -> NumberArray:
        parameter = self.parameters[index]
        where = f"{self.source.file}, channel '{shown(parameter.channel.name)}'"
        column = parameter.scale.apply(self.raw(index, rows), where=where)
        column.setflags(write=False)
        return column

    def linear_scale(self, index: int) -> LinearScale | None:
        return self.parameters[index].scale.as_factor

    @cached_property
    def _matrix(self) -> NumberArray | None:
        return read_matrix(self.source.data, self.begin, self.n_events, self.layout)

    def stored(self) -> NumberArray | None:
        return self._matrix

    def matrix(self) -> NumberArray | None:
        return self._matrix if all(p.scale.is_identity for p in self.parameters) else None

    def value_findings(self) -> tuple[Finding, ...]:
        """What only a look at every value can tell."""
        ledger = Ledger(self.source.file, self.strict, self.dataset)
        not_a_number = np.zeros(len(self.parameters), dtype=np.int64)
        infinite = np.zeros(len(self.parameters), dtype=np.int64)
        masked = np.zeros(len(self.parameters), dtype=np.int64)
        event_bytes = max(1, self.layout.event_bits // 8)
        # Windows of odd widths repeat every eight events: chunks begin on such a boundary.
        chunk = max(8, _CHUNK_BYTES // event_bytes // 8 * 8)
        for first in range(0, self.n_events, chunk):
            n = min(chunk, self.n_events - first)
            if self._all_finite(first, n):
                self.forget(first, n)
                continue
            begin = self.begin + first * self.layout.event_bits // 8
            for i, field in enumerate(self.layout.fields):
                if field.kind == "I" and field.mask is None:
                    continue
                column = read_stored(self.source.data, begin, n, self.layout, i)
                if field.mask is not None:
                    masked[i] += np.count_nonzero(to_native(column) > field.mask)
                elif field.kind != "I" and not np.isfinite(column).all():
                    not_a_number[i] += np.count_nonzero(np.isnan(column))
                    infinite[i] += np.count_nonzero(np.isinf(column))
        self._note_values(ledger, not_a_number, infinite, masked)
        self._note_filled_block(ledger)
        check_crc(self.source, self.extent, self.last_byte, ledger)
        return tuple(ledger.findings)

    def forget(self, first: int, n: int) -> None:
        """Let go of the memory behind events that were read; see :meth:`Source.forget`."""
        bits = self.layout.event_bits
        self.source.forget(self.begin + first * bits // 8, self.begin + (first + n) * bits // 8)

    def _all_finite(self, first: int, n: int) -> bool:
        """Whether events of floating point hold nothing else: one look along the bytes instead of one per column."""
        stored = self._matrix
        return stored is not None and stored.dtype.kind == "f" and bool(np.isfinite(stored[first : first + n]).all())

    def _note_filled_block(self, ledger: Ledger) -> None:
        end = self.begin + self.layout.data_bytes(self.n_events)
        block = find_filled_block(self.source, self.begin, end)
        if block is None or block[1] == end - 1:  # up to the end it is the survey's finding
            return
        size = max(1, self.layout.event_bits // 8)
        first, last = ((at - self.begin) // size + 1 for at in block)
        ledger.warn(
            "DATA_BLOCK_LOST",
            f"DATA holds {block[1] - block[0] + 1} bytes that are all {self.source.data[block[0]]:#04x}, "
            f"in events {first} to {last}, counted from 1",
            segment="DATA",
            byte_range=block,
            found=f"{block[1] - block[0] + 1} equal bytes",
            expected="measurements",
            fix="a block of the disk or of the copy was lost: copy the file again from the instrument",
        )

    def _note_values(
        self,
        ledger: Ledger,
        not_a_number: npt.NDArray[np.int64],
        infinite: npt.NDArray[np.int64],
        masked: npt.NDArray[np.int64],
    ) -> None:
        for i, parameter in enumerate(self.parameters):
            name = shown(parameter.channel.name)
            if not_a_number[i] or infinite[i]:
                ledger.warn(
                    "VALUES_NOT_FINITE",
                    f"channel '{name}' has {not_a_number[i]} values that are NaN and {infinite[i]} that are infinite, "
                    f"of {self.n_events}; they were kept",
                    segment="DATA",
                    keyword=f"$P{i + 1}N",
                    found=f"{not_a_number[i]} NaN, {infinite[i]} infinite",
                    expected="finite values",
                    fix="such events lie in no gate on this channel; find out which program wrote them",
                )
            if masked[i]:
                # Flags lie above a range that is a power of two; above another one the range itself is in doubt.
                is_power = (int(parameter.channel.range) & (int(parameter.channel.range) - 1)) == 0
                note = ledger.info if is_power else ledger.warn
                note(
                    "VALUES_MASKED",
                    f"channel '{name}': {masked[i]} of {self.n_events} values have bits above $P{i + 1}R "
                    f"({parameter.channel.range:g}), which were masked off",
                    segment="DATA",
                    keyword=f"$P{i + 1}R",
                    found=f"{masked[i]} values",
                    expected=f"values below {parameter.channel.range:g}",
                    fix="nothing to do where the instrument keeps flags in the upper bits",
                )
