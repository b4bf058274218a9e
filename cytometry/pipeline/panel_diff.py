"""What differs between two panels, in words that a person can read in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cytometry.model.gates import BooleanGate, EllipsoidGate, EventMaskGate, Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.panel import Panel
from cytometry.model.template import GatingTemplate

# Kind and name of a thing to its fields, as text.
_Facts = Mapping[tuple[str, str], Mapping[str, str]]
_ABSENT: Final = "-"


def panel_differences(one: Panel, other: Panel) -> tuple[str, ...]:
    """One line per difference; empty if the panels gate alike.

    Titles, labels and versions do not count. What only one of the two has is listed by kind.
    """
    left, right = _facts(one), _facts(other)
    found = []
    for side, here, there in (("first", left, right), ("second", right, left)):
        alone: dict[str, list[str]] = {}
        for kind, name in here:
            if (kind, name) not in there:
                alone.setdefault(kind, []).append(name)
        found += [f"only in the {side}: {kind} {', '.join(names)}" for kind, names in alone.items()]
    for key, fields in left.items():
        others = right.get(key, fields)
        for name in dict.fromkeys((*fields, *others)):
            mine, theirs = fields.get(name, _ABSENT), others.get(name, _ABSENT)
            if mine != theirs:
                found.append(f"{' '.join(k for k in key if k)}: {name} {mine} | {theirs}")
    return tuple(found)


def _facts(panel: Panel) -> _Facts:
    template = panel.template
    limits = panel.minimum_events.model_dump()
    facts: dict[tuple[str, str], dict[str, str]] = {
        ("panel", ""): {
            "gates": "drawn" if template is None else "placed",
            "compensation": panel.compensation,
            "targets": ", ".join(panel.targets) or _ABSENT,
        },
        ("minimum events", ""): {name: str(value) for name, value in limits.items()},
    }
    for key, scale in panel.scales.items():
        facts["scale", key] = _fields(scale.model_dump(exclude_none=True))
    for name, marker in panel.markers.items():
        facts["marker", name] = {"channels": ", ".join(marker.channels), "scale": marker.scale or _ABSENT}
    for name, denominators in panel.described.denominators.items():
        facts["denominators", name] = {"are": ", ".join(denominators)}
    if isinstance(panel.strategy, GatingTemplate):
        for name, cut in panel.strategy.cuts.items():
            facts["cut", name] = _fields(cut.model_dump(mode="json", exclude_none=True))
        for p in panel.strategy.populations:
            fields = p.model_dump(mode="json", exclude_none=True, exclude={"name", "label"})
            facts["population", p.name] = _fields(fields)
    else:
        for q in panel.strategy.populations:
            facts["population", q.name] = {"parent": q.parent_path.rpartition("/")[2], "gate": _gate(q.gate)}
    return facts


def _fields(content: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in content.items()}


def _text(value: Any) -> str:
    """Plain words: ``valley(between 0.25..0.75) > fixed(at 0.45)``."""
    if isinstance(value, Mapping):
        rest = {k: v for k, v in value.items() if k != "method"}
        inside = ", ".join(f"{k} {_text(v)}" for k, v in rest.items())
        return f"{value['method']}({inside})" if "method" in value else inside
    if isinstance(value, list | tuple):
        if value and all(isinstance(v, Mapping) for v in value):
            return " > ".join(_text(v) for v in value)
        if len(value) == 2 and all(isinstance(v, int | float) for v in value):
            return f"{value[0]:g}..{value[1]:g}"
        return ", ".join(_text(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _gate(gate: Gate) -> str:
    if isinstance(gate, RectangleGate):
        return " and ".join(_interval(i) for i in gate.intervals)
    if isinstance(gate, BooleanGate):
        word = " and " if gate.operator == "and" else " or "
        names = [f"{'not ' if o.complement else ''}{o.path.rpartition('/')[2]}" for o in gate.operands]
        return f"not {names[0]}" if gate.operator == "not" else word.join(names)
    axes = " x ".join(d.name for d in gate.dimensions)
    if isinstance(gate, PolygonGate):
        corners = " ".join(f"({x:.4g}, {y:.4g})" for x, y in gate.vertices)
        return f"polygon on {axes}: {corners}"
    if isinstance(gate, EllipsoidGate):
        return f"ellipse on {axes} around {', '.join(f'{m:.4g}' for m in gate.mean)}, {gate.covariance}"
    return "events of one file" if isinstance(gate, EventMaskGate) else repr(gate)


def _interval(interval: Interval) -> str:
    low = "" if interval.minimum is None else f"{interval.minimum:.4g} <= "
    high = "" if interval.maximum is None else f" < {interval.maximum:.4g}"
    return f"{low}{interval.dimension.name}{high}"
