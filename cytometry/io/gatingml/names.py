"""Namespaces of GatingML 2.0, ours beside them, and typed access to attributes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from types import MappingProxyType
from xml.etree.ElementTree import Element

from cytometry.errors import StrategyError

GATING = "http://www.isac-net.org/std/Gating-ML/v2.0/gating"
TRANSFORMS = "http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
DATATYPES = "http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"
# What the standard has no word for: names that repeat, FlowJo's scales, masks of single events.
OURS = "urn:cytometry:gating:1"

# An attribute of a scale or matrix: its name, where that is no XML id.
KEY = f"{{{OURS}}}key"

PREFIXES = (("gating", GATING), ("transforms", TRANSFORMS), ("data-type", DATATYPES), ("cytometry", OURS))

# xs:double without the names of infinity; Python's float() would also take "1_000" and "nan".
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INFINITE = MappingProxyType({"INF": math.inf, "+INF": math.inf, "-INF": -math.inf})


def local_name(element: Element) -> str:
    """Tag without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Namespace of the tag, ``""`` if it has none."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def attribute(element: Element, namespace_: str, name: str) -> str | None:
    """An attribute, with its namespace or, as some programs write it, without."""
    value = element.get(f"{{{namespace_}}}{name}")
    return value if value is not None else element.get(name)


def required(element: Element, namespace_: str, name: str, where: str) -> str:
    """An attribute that must be there and not be empty."""
    value = attribute(element, namespace_, name)
    if value is None or not value.strip():
        raise StrategyError(
            f"<{local_name(element)}> lacks the attribute '{name}'",
            where=where,
            hint="the file does not follow GatingML 2.0; export it again",
            code="GATINGML_INVALID",
        )
    return value


def number(text: str, what: str, where: str) -> float:
    """A finite number.

    Raises
    ------
    StrategyError
        The text is no number, or not a finite one.
    """
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise StrategyError(
        f"{what} is '{text.strip()}'", where=where, hint="a finite number is needed", code="GATE_NONSENSE"
    )


def bound(element: Element, namespace_: str, name: str, *, open_end: float, where: str) -> float:
    """A limit; missing, or infinite on its own side, is open."""
    text = attribute(element, namespace_, name)
    if text is None or _INFINITE.get(text.strip().upper()) == open_end:
        return open_end
    return number(text, f"'{name}'", where)


def children(element: Element, namespace_: str, name: str) -> Iterator[Element]:
    """Direct children of one name."""
    return element.iterfind(f"{{{namespace_}}}{name}")


def only_child(element: Element, namespace_: str, name: str, where: str) -> Element:
    """The one child of that name."""
    found = list(children(element, namespace_, name))
    if len(found) != 1:
        raise StrategyError(
            f"<{local_name(element)}> has {len(found)} <{name}>, one is needed", where=where, code="GATINGML_INVALID"
        )
    return found[0]
