"""Read a GatingML 2.0 file into a strategy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree.ElementTree import Element

from cytometry.errors import CytometryError, StrategyError
from cytometry.io.gatingml.custom import CustomInfo, read_custom, read_strategy_name
from cytometry.io.gatingml.names import GATING, KEY, TRANSFORMS, attribute, local_name, namespace
from cytometry.io.gatingml.scales import Ratio, read_matrix, read_transformation
from cytometry.io.gatingml.shapes import GATE_TAGS, Keys, RawGate, read_gate
from cytometry.io.xml import MEBIBYTE, parse_xml, read_xml
from cytometry.model.findings import Finding
from cytometry.model.gates import (
    BooleanGate,
    EllipsoidGate,
    EventMaskGate,
    Gate,
    Operand,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population, join_path
from cytometry.model.transforms import Transform

MAX_BYTES = 64 * MEBIBYTE
# Paths grow with every generation; no person draws so deep.
MAX_GENERATIONS = 250
# A message that lists a hundred thousand names helps nobody.
MAX_LISTED = 30


def read_gatingml(path: Path | str) -> GatingStrategy:
    """Read a GatingML 2.0 file.

    Populations are named by their gate's id, quadrants by the quadrant's. All
    problems of the file are reported together.

    Raises
    ------
    StrategyError
        The file is not GatingML 2.0, attacks the parser, or holds gates that
        make no sense; the message names the gate.
    """
    path = Path(path)
    root = read_xml(path, max_bytes=MAX_BYTES)
    return _strategy(root, str(path), path.name.removesuffix(".xml").removesuffix(".gml"))


def parse_gatingml(data: bytes, *, where: str = "GatingML") -> GatingStrategy:
    """Read GatingML 2.0 from memory; as :func:`read_gatingml`."""
    return _strategy(parse_xml(data, where=where, max_bytes=MAX_BYTES), where, where)


def _strategy(root: Element, where: str, default_name: str) -> GatingStrategy:
    if root.tag != f"{{{GATING}}}Gating-ML":
        raise StrategyError(
            f"root element is {root.tag}, not Gating-ML 2.0",
            where=where,
            hint="give a GatingML 2.0 file or a FlowJo workspace (.wsp); version 1.5 is not read",
            code="GATINGML_INVALID",
        )
    problems: list[CytometryError] = []
    found, gates = _elements(root, where, problems)
    keys = Keys(found.transform_names, found.ratios, found.compensation_names)
    raw: list[RawGate] = []
    seen: set[str | None] = set()
    for element in gates:
        try:
            gate_id = attribute(element, GATING, "id")
            if gate_id in seen:
                raise StrategyError(
                    f"id '{gate_id}' stands twice", where=where, hint="ids are unique", code="GATE_DUPLICATE"
                )
            seen.add(gate_id)
            raw += read_gate(element, keys, where)
        except CytometryError as error:
            problems.append(error)
    _raise_together(problems, where)
    name = read_strategy_name(root) or default_name
    return GatingStrategy(
        name=name,
        populations=_tree(raw, where),
        transforms={found.transform_names[i]: t for i, t in found.transforms.items()},
        compensations={found.compensation_names[i]: m for i, m in found.compensations.items()},
        findings=tuple(_indefinite(raw, where)),
    )


@dataclass
class _Definitions:
    """What a document defines besides gates, by id; names are ours where they could not be ids."""

    transforms: dict[str, Transform] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    compensations: dict[str, Spillover] = field(default_factory=dict)
    transform_names: dict[str, str] = field(default_factory=dict)
    compensation_names: dict[str, str] = field(default_factory=dict)

    def add(self, element: Element, where: str) -> str:
        """Read one scale, ratio or matrix; return its id."""
        if local_name(element) == "spectrumMatrix":
            key, self.compensations[key] = read_matrix(element, where)
            self.compensation_names[key] = _own_name(element, key, self.compensation_names, where)
            return key
        key, scale = read_transformation(element, where)
        if isinstance(scale, Ratio):
            self.ratios[key] = scale
        else:
            self.transforms[key] = scale
            self.transform_names[key] = _own_name(element, key, self.transform_names, where)
        return key


def _own_name(element: Element, key: str, names: Mapping[str, str], where: str) -> str:
    name = element.get(KEY, key)
    if name in names.values() and key not in names:
        raise StrategyError(f"name '{name}' stands twice", where=where, hint="names are unique", code="GATE_DUPLICATE")
    return name


def _elements(root: Element, where: str, problems: list[CytometryError]) -> tuple[_Definitions, list[Element]]:
    found = _Definitions()
    gates: list[Element] = []
    seen: set[str] = set()
    for element in _definitions(root):
        tag = local_name(element)
        try:
            if tag in GATE_TAGS and namespace(element) == GATING:
                gates.append(element)
                continue
            if tag not in {"transformation", "spectrumMatrix"}:
                raise StrategyError(
                    f"<{tag}> is not part of GatingML 2.0",
                    where=where,
                    hint=f"gates: {', '.join(sorted(GATE_TAGS))}",
                    code="GATE_UNKNOWN",
                )
            key = found.add(element, where)
            if key in seen:
                raise StrategyError(
                    f"id '{key}' stands twice", where=where, hint="ids are unique", code="GATE_DUPLICATE"
                )
            seen.add(key)
        except CytometryError as error:
            problems.append(error)
    return found, gates


def _definitions(root: Element) -> Iterator[Element]:
    """Gates and scales, also inside wrappers of other vendors; other namespaces are not ours to judge."""
    for element in root:
        if namespace(element) in (GATING, TRANSFORMS):
            yield element
        elif local_name(element) != "custom_info":
            yield from _definitions(element)


def _tree(raw: list[RawGate], where: str) -> tuple[Population, ...]:
    """Parents first, otherwise in the order of the file; ids become paths."""
    by_id: dict[str, RawGate] = {}
    problems: list[CytometryError] = []
    for gate in raw:
        if gate.id in by_id:
            problems.append(
                StrategyError(f"id '{gate.id}' stands twice", where=where, hint="ids are unique", code="GATE_DUPLICATE")
            )
        by_id[gate.id] = gate
    problems += _unknown_references(by_id, raw, where)
    _raise_together(problems, where)
    custom = {g.id: read_custom(g.element) for g in raw}
    paths: dict[str, str] = {}
    for gate in raw:
        for i in _unplaced_ancestry(gate, by_id, paths, where):
            parent = by_id[i].parent_id
            paths[i] = join_path(ROOT if parent is None else paths[parent], custom[i].name or i)
    shapes = {i: by_id[i].gate for i in paths if custom[i].is_inside_of_next}
    return tuple(_population(by_id[i], custom[i], paths, shapes) for i in paths if i not in shapes)


def _unknown_references(by_id: Mapping[str, RawGate], raw: list[RawGate], where: str) -> Iterator[StrategyError]:
    quadrant_gates = {getattr(g.gate, "quadrant_of", "") for g in raw}
    for gate in raw:
        references = [("parent_id", gate.parent_id)] if gate.parent_id is not None else []
        if isinstance(gate.gate, BooleanGate):
            references += [("gateReference", o.path) for o in gate.gate.operands]
        for kind, reference in references:
            if reference in by_id:
                continue
            known = ", ".join(list(by_id)[:MAX_LISTED])
            hint = "name one of its quadrants" if reference in quadrant_gates else f"gates: {known}"
            what = "a quadrant gate as a whole" if reference in quadrant_gates else "an unknown gate"
            yield StrategyError(
                f"{kind} '{reference}' is {what}", where=f"{where}, gate '{gate.id}'", hint=hint, code="GATE_UNKNOWN"
            )


def _unplaced_ancestry(gate: RawGate, by_id: Mapping[str, RawGate], placed: Mapping[str, str], where: str) -> list[str]:
    """The gate and those of its ancestors that have no path yet, the highest first."""
    chain: dict[str, None] = {}
    current: str | None = gate.id
    while current is not None and current not in placed:
        if current in chain:
            raise StrategyError(
                f"gates are their own ancestors: {' → '.join([*chain, current][:MAX_LISTED])}",
                where=where,
                hint="a parent_id must lead up to a gate without one",
                code="GATE_CYCLE",
            )
        chain[current] = None
        current = by_id[current].parent_id
        if len(chain) + placed.get(current or "", "").count("/") > MAX_GENERATIONS:
            raise StrategyError(
                f"gate '{gate.id}' has more than {MAX_GENERATIONS} ancestors", where=where, code="GATE_NONSENSE"
            )
    return list(reversed(chain))


def _population(raw: RawGate, custom: CustomInfo, paths: Mapping[str, str], shapes: Mapping[str, Gate]) -> Population:
    gate = raw.gate
    inverted = shapes.get(gate.operands[0].path) if isinstance(gate, BooleanGate) else None
    if custom.kept_runs is not None:
        gate = EventMaskGate(custom.kept_runs)
    elif isinstance(inverted, RectangleGate | PolygonGate | EllipsoidGate):
        gate = replace(inverted, complement=True)
    elif isinstance(gate, BooleanGate):
        gate = replace(gate, operands=tuple(Operand(paths[o.path], o.complement) for o in gate.operands))
    return Population(
        name=custom.name or raw.id,
        parent_path=ROOT if raw.parent_id is None else paths[raw.parent_id],
        gate=gate,
        label=custom.label,
        optional=custom.optional,
    )


def _indefinite(raw: list[RawGate], where: str) -> Iterator[Finding]:
    for gate in raw:
        if isinstance(gate.gate, EllipsoidGate) and not gate.gate.is_definite:
            yield Finding(
                code="ELLIPSOID_NOT_DEFINITE",
                severity="warning",
                message=f"gate '{gate.id}' has a covariance that is neither symmetric nor positive definite; "
                "it is applied as the quadratic form that it defines, which is no ellipsoid",
                file=where,
                keyword=gate.id,
                fix="draw the gate again",
            )


def _raise_together(problems: list[CytometryError], where: str) -> None:
    """Raise what was found: the one problem, or all of them in one error."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise StrategyError(
            f"{len(problems)} problems: " + "; ".join(str(p).removeprefix(f"{where}, ") for p in problems[:MAX_LISTED]),
            where=where,
            code=problems[0].code,
            findings=[
                Finding(code=p.code, severity="error", message=p.message, file=where, keyword=p.where, fix=p.hint)
                for p in problems[:MAX_LISTED]
            ],
        )
