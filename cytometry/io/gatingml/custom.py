"""What GatingML has no word for, kept in the place that it gives to vendors.

Other programs skip ``data-type:custom_info``, so nothing that changes which
events are in a standard gate may stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from cytometry.errors import StrategyError
from cytometry.io.gatingml.names import DATATYPES, OURS, children


@dataclass(frozen=True, slots=True)
class CustomInfo:
    """Our notes on one population.

    ``is_inside_of_next``: the gate is the shape that the following ``not``
    turns inside out, and no population of its own.
    """

    name: str = ""
    label: str = ""
    optional: bool = False
    kept_runs: tuple[tuple[int, int], ...] | None = None
    is_inside_of_next: bool = False


def read_custom(element: Element) -> CustomInfo:
    """Our notes on a gate or quadrant; empty where another program wrote it."""
    for info in children(element, DATATYPES, "custom_info"):
        for note in children(info, OURS, "population"):
            runs = note.get("kept-runs")
            return CustomInfo(
                name=note.get("name", ""),
                label=note.get("label", ""),
                optional=note.get("optional") == "true",
                kept_runs=None if runs is None else _runs(runs),
                is_inside_of_next=note.get("inside-of-next") == "true",
            )
    return CustomInfo()


def write_custom(element: Element, custom: CustomInfo) -> None:
    """Add the notes as the first child, where the schema wants them; nothing if there are none."""
    if custom == CustomInfo():
        return
    info = Element(f"{{{DATATYPES}}}custom_info")
    element.insert(0, info)
    note = SubElement(info, f"{{{OURS}}}population")
    if custom.name:
        note.set("name", custom.name)
    if custom.label:
        note.set("label", custom.label)
    if custom.optional:
        note.set("optional", "true")
    if custom.is_inside_of_next:
        note.set("inside-of-next", "true")
    if custom.kept_runs is not None:
        note.set("kept-runs", " ".join(f"{start}-{stop}" for start, stop in custom.kept_runs))


def read_strategy_name(root: Element) -> str:
    """Name of the strategy, if we wrote the file."""
    for info in children(root, DATATYPES, "custom_info"):
        for note in children(info, OURS, "strategy"):
            return note.get("name", "")
    return ""


def write_strategy_name(root: Element, name: str, remark: str = "") -> None:
    """Add the strategy's name, and a remark for whoever opens the file, at its head."""
    info = SubElement(root, f"{{{DATATYPES}}}custom_info")
    info.text = remark or None
    SubElement(info, f"{{{OURS}}}strategy", {"name": name})


def _runs(text: str) -> tuple[tuple[int, int], ...]:
    try:
        pairs = tuple((int(start), int(stop)) for start, stop in (run.split("-") for run in text.split()))
    except ValueError as error:
        raise StrategyError(
            f"kept-runs is '{text[:60]}'", hint="runs are written start-stop, in events", code="GATE_NONSENSE"
        ) from error
    return pairs
