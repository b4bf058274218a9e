"""``cytometry panel``: start a panel, try it on tubes, freeze it, list and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytometry.cli.exit_codes import DONE
from cytometry.cli.options import shared
from cytometry.cli.output import Json, error_document, finding_document, note, print_json, say
from cytometry.errors import RequestError

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.pipeline.panel_tools import PanelTrial

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FMO = click.option(
    "--fmo",
    "fmos",
    multiple=True,
    metavar="MARKER=FILE",
    help="Fluorescence-minus-one control of a marker; repeatable.",
)


@click.group()
def panel() -> None:
    """Start, try, freeze, list and compare panels."""


@panel.command(name="list")
@shared("json")
def list_panels(as_json: bool) -> int:
    """List the shipped panels."""
    from cytometry.io.panels import load_panel, shipped_panel_names

    panels = [load_panel(name) for name in shipped_panel_names()]
    if as_json:
        rows: list[Json] = [
            {
                "name": p.name,
                "title": p.title,
                "gates": _gates(p),
                "digest": p.digest,
                "populations": p.population_paths,
            }
            for p in panels
        ]
        print_json({"schema_version": 1, "panels": rows})
    else:
        for p in panels:
            say(f"{p.name}  {p.title}  [{_gates(p)}, {len(p.population_paths)} populations]")
    return DONE


@panel.command()
@click.argument("name")
@click.argument("files", nargs=-1, type=_FILE)
@_FMO
@click.option(
    "-o", "--out", type=_FOLDER, default=None, help="Write a picture per gate and tube, and a page with all, here."
)
@shared("strict", "json")
def check(
    name: str, files: tuple[Path, ...], fmos: tuple[str, ...], out: Path | None, strict: bool, as_json: bool
) -> int:
    """Check panel NAME (shipped, or a folder); with FCS FILES, match, place and count each alone.

    Shows the tree with its counts, and the controls that are missing. Exit 0 if every tube was gated, 1 if none,
    4 if some were not.
    """
    from cytometry.io.fcs import read_fcs
    from cytometry.io.panels import load_panel
    from cytometry.pipeline.panel_tools import trials_exit, try_file, wanted_controls

    if out is not None and not files:
        raise RequestError("there is nothing to draw", hint="name FCS files to try the panel on")
    loaded = load_panel(name)
    controls = {m: read_fcs(f, strict=strict) for m, f in _controls(fmos).items()}
    trials = [try_file(loaded, f, controls, strict=strict) for f in files]
    written = None
    if out is not None:
        from cytometry.pipeline.panel_pictures import write_panel_pictures

        written = write_panel_pictures(out, loaded, trials)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "panel": loaded.name,
                "digest": loaded.digest,
                "gates": _gates(loaded),
                "populations": loaded.population_paths,
                "findings": [finding_document(f) for f in loaded.findings],
                "fmo_controls_used": wanted_controls(loaded),
                "tubes": [_trial_document(t) for t in trials],
                "page": None if written is None else str(written.index),
                "pictures": [] if written is None else [str(p) for p in written.pictures],
            }
        )
    else:
        say(f"{loaded.name}: {loaded.title}")
        say(f"  {len(loaded.markers)} markers, {len(loaded.population_paths)} populations, {_gates(loaded)}")
        for finding in loaded.findings:
            note(f"  {finding.severity}: {finding.message}; {finding.fix}")
        if not files:
            _say_tree(loaded)
        wanted = wanted_controls(loaded)
        if wanted:
            say(f"  where no boundary is clear, FMO controls of the batch are used for: {', '.join(wanted)}")
        for trial in trials:
            _say_trial(trial)
        if written is not None:
            say(f"{len(written.pictures)} pictures: {written.index}")
    return trials_exit(trials)


def _controls(given: tuple[str, ...]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    for text, (marker, _, file) in zip(given, pairs, strict=True):
        if not marker.strip() or not file.strip():
            raise RequestError(f"--fmo '{text}' names no control", hint="--fmo MARKER=FILE")
        if not Path(file.strip()).is_file():
            raise RequestError(f"there is no file '{file.strip()}'", hint="see --fmo", code="FILE_MISSING")
    return {marker.strip(): Path(file.strip()) for marker, _, file in pairs}


@panel.command()
@click.argument("folder", type=_FOLDER)
@click.option("--from", "tube", type=_FILE, required=True, help="FCS file whose channels the panel starts with.")
@shared("strict")
def new(folder: Path, tube: Path, strict: bool) -> int:
    """Start a panel in FOLDER from the channels of a tube: a stem, then each marker's positives. Edit it from there."""
    from cytometry.io.fcs import read_fcs
    from cytometry.io.panel_folders import panel_name, write_panel
    from cytometry.pipeline.new_panel import new_panel

    name = panel_name(folder)
    started = new_panel(read_fcs(tube, strict=strict), name)
    readme = f"# {name}\n\nStarted from {tube.name}. Say here what each population is, and cite where from.\n"
    write_panel(folder, started.described, started.template, readme)
    say(f"wrote {folder}: {len(started.described.markers)} markers, {len(started.template.populations)} populations")
    say(f"  stem: {', '.join(started.stem) or 'none'}")
    for name, missing in started.left_out.items():
        note(f"  no {name}: no channel was recognised as {', '.join(missing)}; add it by hand if there is one")
    if started.unlabelled:
        note(f"  no gate on channels without a label: {', '.join(started.unlabelled)}")
    say(f"next: edit {folder}/strategy.yaml, then `cytometry panel check {folder} {tube}`")
    return DONE


@panel.command()
@click.argument("name")
@click.argument("tube", type=_FILE)
@click.argument("folder", type=_FOLDER)
@_FMO
@shared("strict")
def freeze(name: str, tube: Path, folder: Path, fmos: tuple[str, ...], strict: bool) -> int:
    """Place panel NAME on one TUBE and write the result into FOLDER as a panel of drawn gates (GatingML 2.0)."""
    from cytometry.io.fcs import read_fcs
    from cytometry.io.panel_folders import panel_name, write_panel
    from cytometry.io.panels import load_panel
    from cytometry.pipeline.panel_tools import freeze_panel

    own = panel_name(folder)
    source = load_panel(name)
    controls = {m: read_fcs(f, strict=strict) for m, f in _controls(fmos).items()}
    frozen = freeze_panel(source, read_fcs(tube, strict=strict), own, controls)
    readme = f"# {own}\n\nThe gates of {source.name} (digest {source.digest}) as placed on {tube.name}.\n"
    write_panel(folder, frozen.described, frozen.strategy, readme)
    say(f"wrote {folder}: {len(frozen.strategy.populations)} drawn gates")
    if frozen.left_out:
        names = ", ".join(path.rpartition("/")[2] for path in frozen.left_out)
        note(f"  left out, for the tube has no channels for them: {names}")
    for finding in frozen.trial.findings:
        if finding.code not in {"MARKER_MISSING", "GATE_FALLBACK"}:
            note(f"  {finding.severity}: {finding.message}")
    say(f"next: look at every gate with `cytometry panel check {folder} {tube} -o pictures`")
    return DONE


@panel.command()
@click.argument("one")
@click.argument("other")
@shared("json")
def diff(one: str, other: str, as_json: bool) -> int:
    """Say what differs between two panels; exit 0 either way."""
    from cytometry.io.panels import load_panel
    from cytometry.pipeline.panel_diff import panel_differences

    differences = panel_differences(load_panel(one), load_panel(other))
    if as_json:
        print_json({"schema_version": 1, "differences": differences})
    else:
        for line in differences or ("the panels gate alike",):
            say(line)
    return DONE


def _gates(loaded: Panel) -> str:
    return "placed" if loaded.template is not None else "drawn"


def _say_tree(loaded: Panel) -> None:
    """Every population with what it is."""
    labels = {p.name: p.label for p in loaded.strategy.populations}
    for path in loaded.population_paths:
        leaf = path.rpartition("/")[2]
        label = labels.get(leaf, "")
        say(f"  {'  ' * path.count('/')}{leaf}{f'  ({label})' if label and label != leaf else ''}")


def _say_trial(trial: PanelTrial) -> None:
    say(trial.name if trial.sample is None else f"{trial.name}: {trial.sample.n_events:,} events")
    if trial.channels:
        said = (m if m == channel else f"{m} is {channel}" for m, channel in trial.channels.items())
        say(f"  channels: {', '.join(said)}")
    for finding in trial.findings:
        note(f"  {finding.severity}: {finding.message}")
    if trial.error is not None or trial.membership is None:
        note(f"  error: {trial.error}")
        return
    for cut in trial.cuts:
        flags = f"  {', '.join(cut.flags)}" if cut.flags else ""
        say(f"  {cut.name} on {cut.dimension}: {cut.value:.3f} ({cut.method}, confidence {cut.confidence:.2f}){flags}")
    for path in trial.membership.paths:
        say(f"  {'  ' * path.count('/')}{_counted(trial, path)}")
    for use in trial.controls:
        if use.state == "missing":
            note(
                f"  missing control: an FMO of {use.marker} would place {use.cut}, "
                f"which {use.decided_by} placed with confidence {use.confidence:.2f}"
            )


def _counted(trial: PanelTrial, path: str) -> str:
    """Name, events, per cent of the parent, flags."""
    membership, strategy = trial.membership, trial.strategy
    if membership is None or strategy is None:
        return path
    count, parent = membership.count(path), membership.count(strategy[path].parent_path)
    name = strategy[path].name
    if count is None:
        return f"{name}  undefined"
    share = f"  {100 * count / parent:.3g} %" if parent else ""
    flags = ", ".join(trial.flags.get(name, ()))
    return f"{name}  {count:,}{share}" + (f"  {flags}" if flags else "")


def _trial_document(trial: PanelTrial) -> Json:
    counts: dict[str, Json] = {}
    if trial.membership is not None:
        counts = {p: trial.membership.count(p) for p in trial.membership.paths}
    return {
        "file": trial.name,
        "channels": dict(trial.channels),
        "missing": trial.missing,
        "findings": [finding_document(f) for f in trial.findings],
        "cuts": [
            {
                "cut": c.name,
                "dimension": c.dimension,
                "method": c.method,
                "value": c.value if c.value == c.value else None,
                "confidence": c.confidence,
                "flags": c.flags,
            }
            for c in trial.cuts
        ],
        "counts": counts,
        "flags": {name: list(codes) for name, codes in trial.flags.items()},
        "controls": [
            {
                "marker": u.marker,
                "cut": u.cut,
                "state": u.state,
                "decided_by": u.decided_by,
                "confidence": u.confidence,
            }
            for u in trial.controls
        ],
        "error": None if trial.error is None else error_document(trial.error),
    }
