"""Display values of ever smaller populations of one tube, each column read once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cytometry.model.gates import Dimension
from cytometry.model.transforms import Linear, Transform
from cytometry.preprocessing.dimensions import DimensionReader

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Points of the table that stands in for a transform; between them it is wrong by less than 1e-6.
_NODES = 8192
# The display range that the table covers; beyond it a value stays at the end.
_TABLE = (-1.0, 1.25)
# Columns are read anew for a population that is this much smaller than the last one read.
_SHRUNK = 0.5


@dataclass(eq=False)
class DisplayValues:
    """Reads values for populations that shrink step by step.

    Compensation needs every detector for each marker: the columns are gathered
    once for a population and indexed for its descendants. Transforms are
    tabulated: placing looks at densities, and the engine decides membership
    with the exact scale afterwards.
    """

    reader: DimensionReader
    _columns: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)
    _base: IntArray | None = None
    _base_name: str = ""
    _tables: dict[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    def of(self, dimension: Dimension, rows: IntArray, lineage: tuple[str, ...]) -> FloatArray:
        """Values of a population's events ``rows`` (rising) on the dimension's display scale.

        ``lineage``: the population's name, then its ancestors'.
        """
        formula = self.reader.formula(dimension.name, dimension.compensation)
        if formula.is_plain:
            linear = np.asarray(self.reader.sample.linear_column(formula.columns[0])[rows], dtype=np.float64)
        else:
            here = self._rebase(rows, lineage)
            linear = np.zeros(rows.size)
            for column, weight in zip(formula.columns, formula.weights, strict=True):
                values = self._column(column)
                linear += (values if here is None else values[here]) * np.float64(weight)
        if dimension.transform is None:
            return linear
        return self._display(dimension.transform, linear)

    def _rebase(self, rows: IntArray, lineage: tuple[str, ...]) -> IntArray | None:
        """Positions of the rows in the columns read; None where they are the same events."""
        base = self._base
        if base is not None and self._base_name in lineage:
            if rows.size == base.size:
                return None
            here = np.searchsorted(base, rows)
            if rows.size > _SHRUNK * base.size:
                return here
            self._columns = {c: v[here] for c, v in self._columns.items()}
        else:
            self._columns = {}
        self._base, self._base_name = rows, lineage[0]
        return None

    def _column(self, index: int) -> npt.NDArray[np.float32]:
        if index not in self._columns:
            column = self.reader.sample.linear_column(index)
            self._columns[index] = np.asarray(column[self._base], dtype=np.float32)
        return self._columns[index]

    def _display(self, key: str, linear: FloatArray) -> FloatArray:
        transform = self.reader.transforms[key]
        if isinstance(transform, Linear):
            return transform.apply(linear)
        if key not in self._tables:
            self._tables[key] = tabulated(transform)
        nodes, values = self._tables[key]
        return np.asarray(np.interp(linear, nodes, values))


def tabulated(transform: Transform) -> tuple[FloatArray, FloatArray]:
    """Linear and display values of a transform at points that are evenly spaced on display."""
    values = np.linspace(*_TABLE, _NODES)
    nodes = np.asarray(transform.inverse(values))
    finite = np.isfinite(nodes)
    nodes, values = nodes[finite], values[finite]
    rising = np.concatenate([[True], np.diff(nodes) > 0])
    return nodes[rising], values[rising]
