"""Gated events of a study, or of one sample, as AnnData."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.gating.engine import gate_sample
from cytometry.io.anndata import EventBlock, EventColumn, build_anndata
from cytometry.io.fcs import read_fcs
from cytometry.io.gatingml import read_gatingml
from cytometry.io.parts import gates_file
from cytometry.io.result_tables import read_table
from cytometry.io.spillover import read_spillover_csv
from cytometry.model.gates import Dimension
from cytometry.model.panel import Panel
from cytometry.model.sample import Sample
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.study import FROM_FILE, NO_COMPENSATION, Study
from cytometry.model.tables import THRESHOLDS
from cytometry.pipeline.frames import frame
from cytometry.pipeline.study_inputs import load_panels
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader
from cytometry.preprocessing.markers import match_channels

if TYPE_CHECKING:
    import anndata
    import pandas as pd


def to_anndata(
    study: Study,
    out: str | Path,
    *,
    panel: str | None = None,
    population: str = ROOT,
    max_events_per_sample: int | None = None,
    seed: int = 1,
) -> anndata.AnnData:
    """Events of a study that was gated into ``out``, with their populations.

    Parameters
    ----------
    out
        Folder of ``cytometry run`` or ``gate``: its placed gates are applied again.
    panel
        Key of the panel; needed where the study has several, because their markers differ.
    population
        Name or path: only its events.
    max_events_per_sample
        A random subset of a sample that has more, drawn with ``seed``.

    Raises
    ------
    RequestError
        The panel or population is unknown, or nothing was gated.
    """
    panels = load_panels(study)
    key = _chosen(panel, panels)
    folder = Path(out)
    rng = np.random.default_rng(seed)
    blocks: list[EventBlock] = []
    columns: list[EventColumn] = []
    spill: pd.DataFrame | None = None
    for row in study.samples:
        if row.panel != key or not row.is_gated or not (folder / gates_file(row.sample_id)).is_file():
            continue
        sample = read_fcs(study.fcs_path(row))
        if study.compensation == NO_COMPENSATION:
            sample = replace(sample, spillover=None)
        elif study.compensation != FROM_FILE:
            # The study's matrix takes the place of the file's own, here as in gating.
            sample = replace(sample, spillover=read_spillover_csv(study.folder / study.compensation))
        strategy = read_gatingml(folder / gates_file(row.sample_id))
        channels = match_channels(sample, panels[key]).channel_map
        facts = {"subject_id": row.subject_id, "visit": row.visit, "batch": row.batch, "panel": key}
        if not columns:
            columns = _columns(sample, panels[key], channels, strategy)
            spill = _spill(sample, columns)
        blocks.append(
            _block(
                row.sample_id,
                facts,
                sample,
                strategy,
                panels[key],
                channels,
                columns,
                population,
                max_events_per_sample,
                rng,
            )
        )
    if not blocks:
        raise RequestError(f"no sample of panel '{key}' is gated in '{out}'", hint="run `cytometry gate` first")
    provenance: dict[str, Any] = {"panel": panels[key].name, "panel_sha256": panels[key].digest}
    thresholds = folder / "tables" / "thresholds.csv"
    if thresholds.is_file():
        table = frame(THRESHOLDS, [r for r in read_table(thresholds, THRESHOLDS) if r["panel"] == key])
        provenance["thresholds"] = table.set_index(table.index.astype(str))
    return build_anndata(blocks, columns, spillover=spill, provenance=provenance)


def _chosen(panel: str | None, panels: Mapping[str, Panel]) -> str:
    if panel is None and len(panels) == 1:
        return next(iter(panels))
    if panel is None or panel not in panels:
        raise RequestError(
            f"no panel '{panel}'" if panel else "the study has several panels, whose markers differ",
            hint=f"name one with panel=: {', '.join(panels)}",
        )
    return panel


def _columns(sample: Sample, panel: Panel, channels: ChannelMap, strategy: GatingStrategy) -> list[EventColumn]:
    """The panel's markers that the file measures, in file order."""
    found = []
    for name, index in sorted(channels.indices.items(), key=lambda item: item[1]):
        channel = sample.channels[index]
        key = panel.dimension(name).transform
        transform = strategy.transforms.get(key) if key else None
        fluorescent = panel.markers[name].kind == "fluorescence"
        found.append(
            EventColumn(
                name=name if fluorescent else channel.name,
                channel=channel.name,
                marker=name if fluorescent else "",
                kind=panel.markers[name].kind,
                bits=channel.bits,
                range=channel.range,
                gain=channel.gain,
                amplification=channel.amplification,
                voltage=channel.voltage,
                transform=repr(transform) if transform else "linear",
            )
        )
    return found


def _block(
    sample_id: str,
    facts: Mapping[str, str],
    sample: Sample,
    strategy: GatingStrategy,
    panel: Panel,
    channels: ChannelMap,
    columns: list[EventColumn],
    population: str,
    limit: int | None,
    rng: np.random.Generator,
) -> EventBlock:
    membership = gate_sample(strategy, sample, channels)
    path = population if population == ROOT or population in membership.paths else strategy.by_name(population).path
    rows = membership.indices(path)
    if limit is not None and len(rows) > limit:
        rows = np.sort(rng.choice(rows, size=limit, replace=False))
    reader = DimensionReader(sample, channels, strategy.transforms, strategy.compensations)
    by_channel = {sample.channels[i].name: name for name, i in channels.indices.items()}
    missing = [c.channel for c in columns if c.channel not in by_channel]
    if missing:
        raise RequestError(
            f"sample {sample_id} has no channel '{missing[0]}', which the first sample has",
            hint="export samples of one staining together",
        )
    dimensions = [panel.dimension(by_channel[c.channel]) for c in columns]
    known = [d if d.transform in strategy.transforms else Dimension(d.name, d.compensation) for d in dimensions]
    gates, leaf = {}, np.full(sample.n_events, "", dtype=object)
    for node in strategy.populations:
        if membership.count(node.path) is not None:
            mask = membership.mask(node.path)
            gates[node.name] = mask[rows]
            leaf[mask] = node.name
    return EventBlock(
        sample_id=sample_id,
        facts=facts,
        rows=rows,
        display=np.column_stack([reader.values(d, rows) for d in known]),
        linear=np.column_stack([reader.linear(d.name, d.compensation, rows) for d in dimensions]),
        raw=np.column_stack([_raw(sample, channels, d.name, rows) for d in dimensions]),
        gates=gates,
        leaf=leaf[rows].astype(str),
        keywords=sample.keywords,
    )


def _raw(sample: Sample, channels: ChannelMap, name: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray(sample.raw_column(channels.indices[name])[rows], dtype=np.float64)


def _spill(sample: Sample, columns: list[EventColumn]) -> pd.DataFrame | None:
    """The spillover matrix with the object's own names."""
    if sample.spillover is None:
        return None
    import pandas as pd

    from cytometry.io.anndata import identifier

    names = {c.channel: identifier(c.name) for c in columns}
    labels = [names.get(c, identifier(c)) for c in sample.spillover.channels]
    return pd.DataFrame(sample.spillover.matrix, index=labels, columns=labels)
