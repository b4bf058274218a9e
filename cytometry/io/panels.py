"""Panel folders: where the shipped ones lie, how one is read and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cytometry.errors import CytometryError, PanelError, StrategyError
from cytometry.io.yaml_file import read_yaml
from cytometry.model.gates import FROM_FILE, UNCOMPENSATED
from cytometry.model.panel import Panel, PanelFile
from cytometry.model.second_axis import without_overclaim
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import GatingTemplate

PANEL_FILE = "panel.yaml"
TEMPLATE_FILE = "strategy.yaml"
DRAWN_FILE = "strategy.gml.xml"

_Model = TypeVar("_Model", bound=BaseModel)


def shipped_panels_folder() -> Path:
    """Folder of the shipped panels: inside an installed wheel, or beside the package in a checkout.

    Raises
    ------
    PanelError
        Neither is there.
    """
    package = Path(str(files("cytometry")))
    checkout = package.parent
    for folder, marker in (
        (package / "_data" / "gating_strategies", package / "_data"),
        (checkout / "gating_strategies", checkout / "pyproject.toml"),
    ):
        if folder.is_dir() and marker.exists():
            return folder
    raise PanelError(
        "the shipped panels are not there", where=str(package), hint="reinstall cytometry", code="PANEL_NOT_FOUND"
    )


def shipped_panel_names() -> tuple[str, ...]:
    """Names of the shipped panels, sorted."""
    return tuple(sorted(p.parent.name for p in shipped_panels_folder().glob(f"*/{PANEL_FILE}")))


def load_panel(name_or_folder: str | Path) -> Panel:
    """Read and check a panel; see :func:`~cytometry.model.second_axis.without_overclaim` for what it may not claim.

    Parameters
    ----------
    name_or_folder
        Name of a shipped panel, or a folder with ``panel.yaml`` and one of
        ``strategy.yaml`` and ``strategy.gml.xml``. A folder that exists wins.

    Raises
    ------
    PanelError, StrategyError
        All problems of the file that is wrong, each with its place.
    """
    folder = panel_folder(name_or_folder)
    described = _validated(PanelFile, read_yaml(folder / PANEL_FILE, error=PanelError), folder / PANEL_FILE, PanelError)
    strategy = _strategy(folder)
    panel = Panel(described, strategy, panel_digest(folder))
    _check(panel, folder)
    return without_overclaim(panel)


def panel_folder(name_or_folder: str | Path) -> Path:
    """The folder that a name or path means.

    Raises
    ------
    PanelError
        There is none.
    """
    if not str(name_or_folder).strip():
        raise PanelError(
            "the name of a panel is empty",
            hint=f"a folder ('.' for this one), or one of: {', '.join(shipped_panel_names())}",
            code="PANEL_NOT_FOUND",
        )
    given = Path(name_or_folder)
    if (given / PANEL_FILE).is_file():
        return given
    if given.is_dir():
        raise PanelError(
            f"has no {PANEL_FILE}", where=str(given), hint="a panel folder holds panel.yaml and a strategy"
        )
    shipped = shipped_panels_folder() / given.name
    if len(given.parts) == 1 and (shipped / PANEL_FILE).is_file():
        return shipped
    raise PanelError(
        f"no panel '{name_or_folder}'",
        hint=f"a folder, or one of: {', '.join(shipped_panel_names())}",
        code="PANEL_NOT_FOUND",
    )


def panel_digest(folder: Path) -> str:
    """SHA-256 over the files that decide results, in the order of their names.

    Line ends are taken as LF, so that a checkout on another system has the same digest.
    """
    digest = hashlib.sha256()
    for name in (PANEL_FILE, DRAWN_FILE, TEMPLATE_FILE):
        path = folder / name
        if path.is_file():
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _strategy(folder: Path) -> GatingTemplate | GatingStrategy:
    found = [name for name in (TEMPLATE_FILE, DRAWN_FILE) if (folder / name).is_file()]
    if len(found) != 1:
        raise PanelError(
            f"has {' and '.join(found) or 'no strategy'}",
            where=str(folder),
            hint=f"give exactly one of {TEMPLATE_FILE} and {DRAWN_FILE}",
        )
    path = folder / found[0]
    if found[0] == TEMPLATE_FILE:
        return _validated(GatingTemplate, read_yaml(path, error=StrategyError), path, StrategyError)
    from cytometry.io.gatingml import read_gatingml

    return read_gatingml(path)


def _validated(model: type[_Model], content: Any, path: Path, error: type[CytometryError]) -> _Model:
    if not isinstance(content, Mapping):
        raise error("does not hold keys and values", where=str(path), hint=f"keys: {', '.join(model.model_fields)}")
    try:
        return model.model_validate(content)
    except ValidationError as problem:
        raise error(_told(problem, content), where=str(path), hint="see `cytometry schema panel`") from problem


def _told(problem: ValidationError, content: object) -> str:
    """Every problem in one line, with its place and what was found."""
    return "; ".join(
        f"{_place(e['loc'], content)}: {_message(e)}" for e in problem.errors(include_url=False, include_context=False)
    )


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    if error["type"] == "missing":
        return "missing"
    found = error.get("input")
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if isinstance(found, Mapping | list | tuple) else f"{text}, found {found!r}"


def _place(location: tuple[int | str, ...], content: object) -> str:
    """``populations[3] 'naive'.keep``: list positions get the name of the entry."""
    text = ""
    for part in location:
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            name = content.get("name") if isinstance(content, Mapping) else None
            text += f"[{part}]" + (f" '{name}'" if name else "")
        elif isinstance(content, Mapping) and part in content:
            content = content[part]
            text += f".{part}" if text else str(part)
        else:
            text += f".{part}" if text else str(part)
    return text or "file"


def _check(panel: Panel, folder: Path) -> None:
    """What one file cannot know of the other."""
    problems: list[str] = []
    for name, marker in panel.markers.items():
        if marker.scale is not None and marker.scale not in panel.scales:
            known = ", ".join(panel.scales) or "none"
            problems.append(f"markers.{name}: no scale '{marker.scale}' (scales: {known})")
    if panel.compensation not in (FROM_FILE, UNCOMPENSATED):
        problems.append(f"compensation is '{panel.compensation}' (allowed: {FROM_FILE}, {UNCOMPENSATED})")
    if isinstance(panel.strategy, GatingTemplate):
        wrong = panel.strategy.problems(frozenset(panel.markers))
        if wrong:
            raise StrategyError(
                "; ".join(wrong), where=str(folder / TEMPLATE_FILE), hint=f"markers: {', '.join(panel.markers)}"
            )
    names = {path.rpartition("/")[2] for path in panel.population_paths}
    problems += _unknown("targets", panel.targets, names)
    for population, denominators in panel.described.denominators.items():
        if population != "default":
            problems += _unknown("denominators", (population,), names)
        problems += _unknown(f"denominators.{population}", denominators, names)
    if problems:
        raise PanelError("; ".join(problems), where=str(folder / PANEL_FILE))


def _unknown(where: str, given: Iterable[str], names: set[str]) -> list[str]:
    return [f"{where}: no population '{name}'" for name in given if name not in names]
