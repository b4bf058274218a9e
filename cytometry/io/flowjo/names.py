"""Namespaces of a FlowJo 10 workspace, and attributes with or without them."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from cytometry.errors import StrategyError
from cytometry.io.gatingml.names import DATATYPES, GATING, TRANSFORMS, number

__all__ = ["DATATYPES", "GATING", "TRANSFORMS", "attribute", "number", "numeric"]

_NAMESPACES = (GATING, TRANSFORMS, DATATYPES)


def attribute(element: Element, name: str) -> str | None:
    """An attribute in any of FlowJo's namespaces, or in none."""
    if name in element.attrib:
        return element.attrib[name]
    return next((element.attrib[f"{{{n}}}{name}"] for n in _NAMESPACES if f"{{{n}}}{name}" in element.attrib), None)


def numeric(element: Element, name: str, where: str) -> float:
    """A finite number that must be there."""
    text = attribute(element, name)
    if text is None:
        tag = element.tag.rpartition("}")[2]
        raise StrategyError(f"<{tag}> lacks the attribute '{name}'", where=where, code="WORKSPACE_INVALID")
    return number(text, f"'{name}'", where)
