"""Transformations and compensation of one sample in a FlowJo 10 workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree.ElementTree import Element

import numpy as np

from cytometry.errors import StrategyError
from cytometry.io.flowjo.names import DATATYPES, TRANSFORMS, attribute, numeric
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import FROM_FILE, UNCOMPENSATED
from cytometry.model.spillover import Spillover
from cytometry.model.transforms import Asinh, Hyperlog, Logicle, Transform

# FlowJo's words for compensation of the two kinds that a strategy names itself.
_ACQUISITION_PREFIX = "Comp-"

_KINDS: Mapping[str, Callable[[Element, str], Transform]] = MappingProxyType(
    {
        "linear": lambda e, w: FlowJoLinear(numeric(e, "minRange", w), numeric(e, "maxRange", w)),
        "log": lambda e, w: FlowJoLog(numeric(e, "offset", w), numeric(e, "decades", w)),
        "biex": lambda e, w: FlowJoBiex(
            numeric(e, "neg", w), numeric(e, "width", w), numeric(e, "pos", w), numeric(e, "maxRange", w)
        ),
        "fasinh": lambda e, w: Asinh(numeric(e, "T", w), numeric(e, "M", w), numeric(e, "A", w)),
        "logicle": lambda e, w: Logicle(numeric(e, "T", w), numeric(e, "W", w), numeric(e, "M", w), numeric(e, "A", w)),
        "hyperlog": lambda e, w: Hyperlog(
            numeric(e, "T", w), numeric(e, "W", w), numeric(e, "M", w), numeric(e, "A", w)
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Scales:
    """Transforms by parameter name, and those that could not be read, with the reason."""

    transforms: Mapping[str, Transform]
    unusable: Mapping[str, str]


def read_scales(sample: Element, where: str) -> Scales:
    """Every transformation of a sample; one that is unknown only matters where a gate uses it."""
    transforms: dict[str, Transform] = {}
    unusable: dict[str, str] = {}
    for element in sample.iterfind("Transformations/*"):
        kind = element.tag.rpartition("}")[2]
        parameter = element.find(f"{{{DATATYPES}}}parameter")
        name = attribute(parameter, "name") if parameter is not None else None
        if name is None:
            continue
        if kind not in _KINDS:
            unusable[name] = f"FlowJo's transformation '{kind}' is not documented"
            continue
        try:
            transforms[name] = _KINDS[kind](element, where)
        except StrategyError as error:
            unusable[name] = str(error)
    return Scales(transforms, unusable)


@dataclass(frozen=True, slots=True)
class Compensation:
    """How a workspace names compensated parameters.

    Parameters
    ----------
    key
        Of the matrix in the strategy, or ``FCS`` where the workspace holds none.
    spillover
        None where the workspace holds none.
    prefix, suffix
        Around the name of a compensated parameter.
    """

    key: str
    spillover: Spillover | None
    prefix: str
    suffix: str

    def split(self, parameter: str) -> tuple[str, str]:
        """Channel and compensation key of a parameter as a gate names it.

        A channel that is itself called ``Comp-…`` in the file (an export of
        compensated data) has no entry in the matrix and stays as it is.
        """
        inner = parameter.removeprefix(self.prefix).removesuffix(self.suffix)
        decorated = parameter == f"{self.prefix}{inner}{self.suffix}"
        if self.spillover is None:
            return (inner, self.key) if decorated and self.prefix else (parameter, UNCOMPENSATED)
        known = self.spillover.dyes or self.spillover.channels
        return (inner, self.key) if decorated and inner in known else (parameter, UNCOMPENSATED)


def read_compensation(sample: Element, where: str) -> Compensation:
    """The sample's matrix, if the workspace holds one."""
    found = sample.findall(f"{{{TRANSFORMS}}}spilloverMatrix")
    if len(found) > 1:
        raise StrategyError(f"has {len(found)} spillover matrices", where=where, code="WORKSPACE_INVALID")
    if not found:
        return Compensation(FROM_FILE, None, _ACQUISITION_PREFIX, "")
    element = found[0]
    name = attribute(element, "name") or "FlowJo"
    key = f"{name} (FlowJo)" if name in (FROM_FILE, UNCOMPENSATED) else name
    prefix, suffix = attribute(element, "prefix") or "", attribute(element, "suffix") or ""
    rows = element.findall(f"{{{TRANSFORMS}}}spillover")
    coefficients = [
        {
            attribute(c, "parameter") or "": numeric(c, "value", where)
            for c in row.iterfind(f"{{{TRANSFORMS}}}coefficient")
        }
        for row in rows
    ]
    dyes = tuple(attribute(row, "parameter") or "" for row in rows)
    if not rows:
        return Compensation(FROM_FILE, None, prefix or _ACQUISITION_PREFIX, suffix)
    spectral = attribute(element, "spectral") == "1"
    algorithm = attribute(element, "weightOptAlgorithmType") or "OLS"
    if spectral and algorithm != "OLS":
        raise StrategyError(
            f"matrix '{name}' unmixes by {algorithm}",
            where=where,
            hint="only OLS is documented",
            code="WORKSPACE_INVALID",
        )
    detectors = tuple(coefficients[0]) if spectral else dyes
    if any(set(c) != set(detectors) for c in coefficients):
        raise StrategyError(f"matrix '{name}' has rows of different channels", where=where, code="WORKSPACE_INVALID")
    matrix = np.array([[c[d] for d in detectors] for c in coefficients])
    spillover = Spillover(detectors, matrix, f"{where}, matrix '{name}'", dyes if spectral else ())
    return Compensation(key, spillover, prefix, suffix)
