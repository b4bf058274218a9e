"""Write some of a sample's events as a new FCS file, as they are stored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.write import write_fcs
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample

_WORDS = (8, 16, 32, 64)
POPULATION_KEYWORD = "CYTOMETRY POPULATION"
SOURCE_KEYWORD = "CYTOMETRY SOURCE SHA256"


def export_events(
    sample: Sample,
    path: str | os.PathLike[str],
    events: npt.NDArray[np.bool_],
    *,
    population: str = "root",
    membership: Mapping[str, npt.NDArray[np.bool_]] = MappingProxyType({}),
) -> None:
    """Write the chosen events with all keywords and byte-exact values.

    The new file has the type of the old: float32, float64 or integers; mixed
    types become float64, which holds them exactly up to 2^53. Where it came
    from, and which population it holds, stand in two keywords of our own.

    Parameters
    ----------
    sample
        As read.
    path
        Of the new file.
    events
        One truth value per event of the sample.
    population
        What the events are, for the keyword.
    membership
        Truth values per event by population path: each becomes a channel of 0 and 1.

    Raises
    ------
    RequestError
        A keyword cannot be written.
    OutputError
        The file cannot be written.
    """
    rows = np.flatnonzero(events)
    columns = [sample.raw_column(i)[rows] for i in range(len(sample.channels))]
    datatype = _datatype(columns)
    channels = [_as_written(c, datatype) for c in sample.channels]
    for name, mask in membership.items():
        columns.append(mask[rows].astype(columns[0].dtype if columns else np.float32))
        bits = {"F": 32, "D": 64, "I": 8}[datatype]
        channels.append(Channel(index=len(channels), name=name, range=2.0, bits=bits))
    kinds = {"F": np.float32, "D": np.float64, "I": np.uint64}
    table = np.empty((rows.size, len(columns)), dtype=kinds[datatype])
    with np.errstate(invalid="ignore"):  # a signalling NaN stays a NaN
        for i, column in enumerate(columns):
            table[:, i] = column
    keywords = {**sample.keywords, POPULATION_KEYWORD: population}
    if sample.sha256:
        keywords[SOURCE_KEYWORD] = sample.sha256
    write_fcs(path, table, channels, keywords=keywords, datatype=datatype)


def _datatype(columns: list[npt.NDArray[Any]]) -> Literal["F", "D", "I"]:
    kinds = {c.dtype.kind + str(c.dtype.itemsize) for c in columns}
    if kinds <= {"u1", "u2", "u4", "u8"}:
        return "I"
    return "F" if kinds == {"f4"} else "D"


def _as_written(channel: Channel, datatype: str) -> Channel:
    if datatype != "I":
        return channel
    bits = next((w for w in _WORDS if w >= channel.bits), _WORDS[-1])
    return replace(channel, bits=bits, range=channel.range or 2.0**bits)
