"""AnnData as scverse tools expect it: an export of gated events, never what anything here computes on.

``X`` compensated and transformed, layers ``raw`` and ``compensated`` (linear); one
boolean per gate and the leaf population in ``obs``; channels in ``var``; only
allow-listed FCS keywords in ``uns``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError

if TYPE_CHECKING:
    import anndata
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

# Keywords that describe the instrument and the run, and cannot carry a name. All others stay out.
ALLOWED_KEYWORDS: Final = ("$CYT", "$CYTSN", "$DATE", "$BTIM", "$ETIM", "$TOT", "$PAR", "$TIMESTEP", "$VOL", "$MODE")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.+-]")
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class EventColumn:
    """One column of the object.

    Parameters
    ----------
    name
        Marker, or channel for scatter and time; becomes the identifier.
    transform
        Scale of ``X`` in words.
    """

    name: str
    channel: str
    marker: str
    kind: str
    bits: int
    range: float
    gain: float
    amplification: tuple[float, float]
    voltage: float | None
    transform: str


@dataclass(frozen=True, eq=False)
class EventBlock:
    """Events of one sample; every array has them in the same order.

    Parameters
    ----------
    rows
        Position of each event in its file: the way back.
    display, linear, raw
        Events × columns.
    gates
        Membership by population name.
    leaf
        Deepest population of each event, ``""`` for none.
    """

    sample_id: str
    facts: Mapping[str, str]
    rows: npt.NDArray[np.int64]
    display: FloatArray
    linear: FloatArray
    raw: FloatArray
    gates: Mapping[str, npt.NDArray[np.bool_]]
    leaf: npt.NDArray[np.str_]
    keywords: Mapping[str, str] = field(default_factory=dict)


def build_anndata(
    blocks: Sequence[EventBlock],
    columns: Sequence[EventColumn],
    *,
    spillover: pd.DataFrame | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> anndata.AnnData:
    """Put samples together into one object.

    Raises
    ------
    RequestError
        There is no event, or two columns would have one identifier.
    """
    import anndata
    import pandas as pd

    names = [identifier(c.name) for c in columns]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise RequestError(
            f"two columns would be called '{repeated[0]}'", hint="rename one of the markers in the panel"
        )
    if not blocks or not sum(len(b.rows) for b in blocks):
        raise RequestError("there is no event to put into the object", hint="name a population that was found")
    obs = pd.concat([_obs(b) for b in blocks])
    for name in ("sample_id", *blocks[0].facts, "population"):
        obs[name] = obs[name].astype("category")
    result = anndata.AnnData(
        X=np.concatenate([b.display for b in blocks]).astype(np.float32),
        obs=obs,
        var=_var(columns, names),
        layers={
            "raw": np.concatenate([b.raw for b in blocks]).astype(np.float32),
            "compensated": np.concatenate([b.linear for b in blocks]).astype(np.float32),
        },
    )
    meta: dict[str, Any] = {
        identifier(b.sample_id): {k.lstrip("$"): b.keywords[k] for k in ALLOWED_KEYWORDS if k in b.keywords}
        for b in blocks
    }
    if spillover is not None:
        meta["spill"] = spillover
    result.uns["meta"] = meta
    result.uns["cytometry"] = {
        "schema_version": SCHEMA_VERSION,
        "transforms": {n: c.transform for n, c in zip(names, columns, strict=True)},
        **(provenance or {}),
    }
    return result


def identifier(name: str) -> str:
    """A name that every scverse format can hold as a key: ``/`` in one makes ``write_zarr`` fail.

    >>> identifier("HLA-DP/DQ")
    'HLA-DP_DQ'
    """
    return _UNSAFE.sub("_", name)


def _obs(block: EventBlock) -> pd.DataFrame:
    import pandas as pd

    n = len(block.rows)
    found: dict[str, Any] = {"sample_id": [block.sample_id] * n}
    found |= {name: [value] * n for name, value in block.facts.items()}
    found["event"] = block.rows.astype(np.uint32)
    found |= {f"gate_{identifier(name)}": mask for name, mask in block.gates.items()}
    found["population"] = block.leaf.astype(object)
    return pd.DataFrame(found, index=[f"{block.sample_id}-{row}" for row in block.rows])


def _var(columns: Sequence[EventColumn], names: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(
        {
            "channel": [c.channel for c in columns],
            "marker": [c.marker for c in columns],
            "label": [c.name for c in columns],
            "kind": [c.kind for c in columns],
            "used_for_clustering": [c.kind == "fluorescence" for c in columns],
            "signal_type": [_signal(c.channel) for c in columns],
            "n": [str(i + 1) for i in range(len(columns))],
            "PnB": [str(c.bits) for c in columns],
            "PnE": [f"{c.amplification[0]:g},{c.amplification[1]:g}" for c in columns],
            "PnG": [f"{c.gain:g}" for c in columns],
            "PnR": [f"{c.range:g}" for c in columns],
            "PnV": ["" if c.voltage is None else f"{c.voltage:g}" for c in columns],
        },
        index=list(names),
    )
    return table.astype({c: object for c in table.columns if c != "used_for_clustering"})


def _signal(channel: str) -> str:
    """Area, height or other, as pytometry names them."""
    return {"A": "area", "H": "height"}.get(channel.rpartition("-")[2].upper(), "other")
