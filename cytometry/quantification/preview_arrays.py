"""Pictures of gates as arrays and JSON text: the form of ``parts/<panel>/<sample_id>/previews.npz``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.errors import OutputError
from cytometry.quantification.preview_axes import PreviewAxis
from cytometry.quantification.previews import GatePreview, PreviewGate, PreviewThreshold

FORMAT = 1
_NUMBERS = ("value", "linear_value", "uncertainty", "confidence")


def previews_to_arrays(previews: Sequence[GatePreview]) -> dict[str, npt.NDArray[Any]]:
    """Arrays to be written with ``numpy.savez_compressed``: no objects, so no pickle.

    ``index`` holds UTF-8 JSON as bytes, ``h<i>`` the i-th histogram, ``v<i>``
    the vertices of all its outlines one after the other.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    index: list[dict[str, Any]] = []
    for i, preview in enumerate(previews):
        outlines = [polygon for gate in preview.gates for polygon in gate.outlines]
        arrays[f"h{i}"] = preview.histogram
        arrays[f"v{i}"] = np.concatenate(outlines) if outlines else np.empty((0, 2))
        index.append(_entry(preview))
    text = json.dumps({"format": FORMAT, "previews": index}, ensure_ascii=False, allow_nan=False, sort_keys=True)
    arrays["index"] = np.frombuffer(text.encode(), dtype=np.uint8)
    return arrays


def previews_from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[GatePreview, ...]:
    """The pictures that :func:`previews_to_arrays` made.

    Raises
    ------
    OutputError
        The arrays are of another format.
    """
    stored = json.loads(np.asarray(arrays["index"]).tobytes().decode())
    if stored.get("format") != FORMAT:
        raise OutputError(
            f"previews have format {stored.get('format')!r}, this version reads {FORMAT}",
            hint="run again with --force",
            code="FORMAT_UNKNOWN",
        )
    return tuple(_preview(e, arrays[f"h{i}"], arrays[f"v{i}"]) for i, e in enumerate(stored["previews"]))


def _entry(preview: GatePreview) -> dict[str, Any]:
    return {
        "parent_path": preview.parent_path,
        "parent_count": preview.parent_count,
        "x": asdict(preview.x),
        "y": asdict(preview.y),
        "outside": preview.outside,
        "gates": [
            {
                "path": gate.path,
                "name": gate.name,
                "label": gate.label,
                "count": gate.count,
                "vertices": [len(polygon) for polygon in gate.outlines],
                "thresholds": [{k: _plain(v) for k, v in asdict(t).items()} for t in gate.thresholds],
            }
            for gate in preview.gates
        ],
    }


def _plain(value: Any) -> Any:
    """JSON knows no NaN; None comes back as NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _preview(entry: Mapping[str, Any], histogram: npt.NDArray[Any], vertices: npt.NDArray[Any]) -> GatePreview:
    gates: list[PreviewGate] = []
    start = 0
    for stored in entry["gates"]:
        outlines = []
        for length in stored["vertices"]:
            outlines.append(np.asarray(vertices[start : start + length], dtype=np.float64))
            start += length
        thresholds = tuple(_threshold(t) for t in stored["thresholds"])
        gates.append(
            PreviewGate(stored["path"], stored["name"], stored["label"], stored["count"], tuple(outlines), thresholds)
        )
    return GatePreview(
        parent_path=entry["parent_path"],
        parent_count=entry["parent_count"],
        x=_axis(entry["x"]),
        y=_axis(entry["y"]),
        histogram=histogram,
        outside=entry["outside"],
        gates=tuple(gates),
    )


def _axis(stored: Mapping[str, Any]) -> PreviewAxis:
    ticks = tuple((float(p), str(text)) for p, text in stored["ticks"])
    return PreviewAxis(stored["name"], stored["scale"], stored["minimum"], stored["maximum"], ticks)


def _threshold(stored: Mapping[str, Any]) -> PreviewThreshold:
    numbers = {k: math.nan if stored[k] is None else float(stored[k]) for k in _NUMBERS}
    return PreviewThreshold(
        name=stored["name"],
        dimension=stored["dimension"],
        source=stored["source"],
        method=stored["method"],
        scope=stored["scope"],
        flags=tuple(stored["flags"]),
        **numbers,
    )
