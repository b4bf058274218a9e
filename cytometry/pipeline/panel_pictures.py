"""``panel check --out``: a picture per gate and tube, and one page with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.io.atomic import write_atomically
from cytometry.io.lock import output_lock
from cytometry.io.manifest import FileRecord
from cytometry.io.result_tables import finding_rows
from cytometry.model.tables import COUNTS, FINDINGS, FREQUENCIES, THRESHOLDS, Cell
from cytometry.pipeline.collect import frequency_rules
from cytometry.pipeline.file_inputs import safe_name
from cytometry.pipeline.frames import frame
from cytometry.pipeline.gate_group import panel_limits
from cytometry.pipeline.out_folder import (
    PANEL_CHECK,
    RunRecord,
    Stopwatch,
    check_owner,
    claim,
    finish,
    known_outputs,
    remove_outputs,
    versions,
)
from cytometry.pipeline.panel_tools import trials_exit
from cytometry.preprocessing.dimensions import DimensionReader
from cytometry.quantification.counts import CountedSample, count_populations
from cytometry.quantification.frequencies import frequencies
from cytometry.quantification.thresholds import threshold_rows

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.pipeline.panel_tools import PanelTrial
    from cytometry.quantification.previews import GatePreview

INDEX: Final = "index.html"
PICTURES: Final = "pictures"
_LONGEST_NAME: Final = 60


@dataclass(frozen=True)
class PanelPictures:
    """What was written: the page, and every picture."""

    index: Path
    pictures: tuple[Path, ...]


def write_panel_pictures(out: Path, panel: Panel, trials: Sequence[PanelTrial]) -> PanelPictures:
    """Write the page and the pictures; those of an earlier check of the panel are replaced.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    watch = Stopwatch()
    owner = f"{PANEL_CHECK}{panel.name}"
    inputs = [_recorded(t) for t in trials]
    record = RunRecord("panel check", owner, {"panel": panel.name, "digest": panel.digest}, inputs)
    check_owner(out, owner, replaceable=False)
    with output_lock(out):
        claim(out, record)
        before = known_outputs(out)
        names = _named(trials)
        previews = {n: _previews(t) for n, t in zip(names, trials, strict=True) if t.membership is not None}
        files = {
            f"{PICTURES}/{sample}/{_file_name(i, preview)}": _picture(sample, preview)
            for sample, own in previews.items()
            for i, preview in enumerate(own, start=1)
        }
        for name, text in files.items():
            write_atomically(out / name, text.encode())
        write_atomically(out / INDEX, _page(panel, names, trials, previews).encode())
        remove_outputs(out, [n for n in before if n not in files and n.startswith(f"{PICTURES}/")])
        told = {"tubes": len(trials), "gated": len(previews), "pictures": len(files)}
        finish(out, record, exit_code=trials_exit(trials), summary=told, seconds=watch.seconds)
    return PanelPictures(out / INDEX, tuple(out / name for name in files))


def _recorded(trial: PanelTrial) -> FileRecord:
    path = Path(trial.name)
    size = path.stat().st_size if path.is_file() else 0
    return FileRecord(path.name, size, "" if trial.sample is None else trial.sample.sha256)


def _named(trials: Sequence[PanelTrial]) -> tuple[str, ...]:
    """A name per tube that is safe as a folder; a second tube of one name gets its place."""
    names: list[str] = []
    for number, trial in enumerate(trials, start=1):
        path = Path(trial.name)
        name = safe_name(path.name.removesuffix(path.suffix))
        names.append(name if name not in names else f"{name}-{number}")
    return tuple(names)


def _previews(trial: PanelTrial) -> tuple[GatePreview, ...]:
    from cytometry.quantification.previews import gate_previews

    if trial.sample is None or trial.strategy is None or trial.channel_map is None or trial.membership is None:
        return ()
    strategy = trial.strategy
    reader = DimensionReader(trial.sample, trial.channel_map, strategy.transforms, strategy.compensations, None)
    return gate_previews(strategy, reader, trial.membership, trial.cuts)


def _file_name(number: int, preview: GatePreview) -> str:
    gates = "+".join(g.name for g in preview.gates)
    return f"{number:02d}_{safe_name(gates)[:_LONGEST_NAME]}.svg"


def _picture(sample: str, preview: GatePreview) -> str:
    from cytometry.plotting.picture_file import picture_file

    counts = ", ".join(f"{g.label or g.name} {g.count}" for g in preview.gates)
    return picture_file(preview, description=f"{sample}: {counts} of {preview.parent_count} in {preview.parent_path}")


def _page(
    panel: Panel,
    names: Sequence[str],
    trials: Sequence[PanelTrial],
    previews: dict[str, tuple[GatePreview, ...]],
) -> str:
    import pandas as pd

    from cytometry.reporting.inputs import ReportInputs
    from cytometry.reporting.panel_page import PanelPageInputs, panel_page

    named = list(zip(names, trials, strict=True))
    counts = [row for name, trial in named for row in _counts(panel, name, trial)]
    boundaries = [row for name, trial in named for row in threshold_rows(name, panel.name, trial.cuts)]
    controls = [
        {"sample_id": n, "marker": u.marker, "cut": u.cut, "state": u.state, "decided_by": u.decided_by}
        | {"confidence": u.confidence}
        for n, t in named
        for u in t.controls
    ]
    columns = ["sample_id", "marker", "cut", "state", "decided_by", "confidence"]
    markers = [m for m in panel.markers if panel.gates_on(m)]
    channels = pd.DataFrame({"marker": markers, **{n: [t.channels.get(m) for m in markers] for n, t in named}})
    findings = [row for n, t in named for row in finding_rows(n, t.findings)]
    shown = ReportInputs(
        title=panel.name,
        tables={
            "counts": frame(COUNTS, counts),
            "frequencies": frame(FREQUENCIES, frequencies(counts, frequency_rules({panel.name: panel}), {})),
        },
        panels={panel.name: panel},
        previews=previews,
    )
    return panel_page(
        PanelPageInputs(
            title=f"Panel {panel.name}",
            subtitle=f"{panel.title} (digest {panel.digest[:12]}), tried on {len(trials)} tubes",
            failed={n: str(t.error) for n, t in named if t.error is not None},
            channels=channels,
            boundaries=frame(THRESHOLDS, boundaries),
            controls=pd.DataFrame(controls, columns=columns),
            findings=frame(FINDINGS, findings),
            shown=shown,
            version=versions()["cytometry"],
        )
    )


def _counts(panel: Panel, name: str, trial: PanelTrial) -> list[dict[str, Cell]]:
    if trial.sample is None or trial.strategy is None or trial.membership is None:
        return []
    tube = CountedSample(name, Path(trial.name).name, trial.sample.sha256, panel.name)
    limits = panel_limits(panel)
    return count_populations(tube, trial.strategy, trial.membership, limits=limits, gate_flags=trial.flags)
