"""Bare files and folders as inputs: what is an FCS file, what a sample is called, which strategy is meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from cytometry.errors import RequestError
from cytometry.io.digests import file_digest
from cytometry.model.findings import Finding
from cytometry.pipeline.planning import (
    GatingPlan,
    GroupingRequest,
    PanelPlan,
    PlannedInput,
    all_hashed,
    failed_input,
    plan_groups,
    skipped_input,
)
from cytometry.pipeline.tasks import GatingSettings, StrategySource, TubeInput

FCS_SUFFIXES: Final = (".fcs", ".lmd")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")


def plan_files(
    arguments: Sequence[str], source: StrategySource, out: Path, settings: GatingSettings, *, jobs: int = 1
) -> GatingPlan:
    """Plan the gating of files and folders without a study: every scope is ``sample``.

    Raises
    ------
    RequestError
        The arguments name no file at all.
    """
    findings: list[Finding] = []
    panel = PanelPlan(safe_name(source.name), source)
    inputs = all_hashed(_inputs(arguments, panel.key, findings), jobs, settings.gate_draws)
    if not inputs:
        raise RequestError(
            f"no FCS file in {', '.join(arguments)}", hint=f"files end in {' or '.join(FCS_SUFFIXES)}", code="NO_INPUT"
        )
    inputs = _named_apart(inputs, findings)
    request = GroupingRequest(out, {panel.key: panel}, settings=replace(settings, alone=True))
    return plan_groups(inputs, request, findings)


def safe_name(text: str) -> str:
    """A name that is safe as a folder: outside ``[A-Za-z0-9_.+-]`` becomes ``_``; never hidden, never empty.

    >>> safe_name("CD19 ../naïve.fcs")
    'CD19_.._na_ve.fcs'
    >>> safe_name("..")
    '__'
    """
    name = _UNSAFE.sub("_", text)[:120]
    dots = len(name) - len(name.lstrip("."))
    return "_" * dots + name[dots:] or "_"


def find_strategy(given: str) -> StrategySource:
    """What ``--strategy`` means: a GatingML file, a FlowJo workspace, a panel folder or a shipped panel's name.

    Raises
    ------
    RequestError, PanelError
        It is none of them.
    """
    path = Path(given)
    suffix = path.suffix.lower()
    if path.is_file() or suffix in {".xml", ".wsp"}:
        if not path.is_file():
            raise RequestError(f"there is no file '{given}'", hint="see --strategy", code="FILE_MISSING")
        from cytometry.io.gate_files import is_workspace, is_xml

        if not is_xml(path):
            raise RequestError(
                f"'{given}' is no strategy",
                hint="a GatingML 2.0 file, a FlowJo workspace (.wsp), a panel folder or a shipped panel's name",
                code="STRATEGY_UNKNOWN",
            )
        kind = "workspace" if is_workspace(path) else "gatingml"
        name = path.name.removesuffix(path.suffix).removesuffix(".gml") or path.name
        return StrategySource(kind, path.absolute(), name, file_digest(path))  # type: ignore[arg-type]
    from cytometry.io.panels import panel_digest, panel_folder

    folder = panel_folder(given)
    return StrategySource("panel", folder.absolute(), folder.name, panel_digest(folder))


def _inputs(arguments: Sequence[str], panel: str, findings: list[Finding]) -> Iterator[PlannedInput]:
    seen: set[Path] = set()
    for argument in arguments:
        path = Path(argument)
        members = _in_folder(path, findings) if path.is_dir() else [path]
        for member in members:
            real = member.resolve()
            if real in seen:
                findings.append(
                    Finding("INPUT_REPEATED", "info", "was named twice and is gated once", file=member.name)
                )
                continue
            seen.add(real)
            stem = member.name.removesuffix(member.suffix) if member.suffix.lower() in FCS_SUFFIXES else member.name
            yield PlannedInput(TubeInput(safe_name(stem), member, member.name), panel)


def _in_folder(folder: Path, findings: list[Finding]) -> list[Path]:
    found, others = [], Counter[str]()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in FCS_SUFFIXES and not hidden:
            found.append(path)
        else:
            others["hidden file" if hidden else path.suffix.lower() or "no suffix"] += 1
    if others:
        shown = ", ".join(f"{n} × {kind}" for kind, n in sorted(others.items()))
        findings.append(
            Finding("FILES_IGNORED", "info", f"files that are not FCS were left alone: {shown}", file=folder.name)
        )
    return found


def _named_apart(inputs: Sequence[PlannedInput], findings: list[Finding]) -> list[PlannedInput]:
    """Give samples of one name a suffix from their content; skip a second copy of the same file of the same name."""
    names = Counter(i.tube.sample_id for i in inputs)
    taken: set[str] = set()
    first_with: dict[str, str] = {}
    apart = []
    for planned in inputs:
        tube = planned.tube
        name = tube.sample_id
        if names[name] > 1:
            name = f"{name}-{tube.sha256[:8] or 'unread'}"
            findings.append(
                Finding(
                    "SAMPLE_ID_COLLISION",
                    "warning",
                    f"shares its name with another input and is called '{name}'",
                    file=tube.fcs_file,
                    found=tube.sample_id,
                )
            )
        again = name in taken
        while name in taken:
            name += "+"
        taken.add(name)
        named = replace(planned, tube=replace(tube, sample_id=name))
        if named.outcome is not None:
            named = failed_input(named, named.outcome.code, named.outcome.reason, "check the path and its rights")
        elif again:
            named = skipped_input(named, "DUPLICATE_CONTENT", "the same bytes under the same name are gated already")
        elif tube.sha256 in first_with:
            findings.append(
                Finding(
                    "DUPLICATE_CONTENT",
                    "warning",
                    f"has the same bytes as {first_with[tube.sha256]}",
                    file=tube.fcs_file,
                    found=tube.sha256,
                )
            )
        if tube.sha256:
            first_with.setdefault(tube.sha256, tube.fcs_file)
        apart.append(named)
    return apart
