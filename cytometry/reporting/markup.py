"""The template environment: autoescape everywhere, an undefined name is an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cytometry.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: Any) -> Markup:
    """Fill one of the templates; every value that is not markup is escaped."""
    return Markup(_environment().get_template(template).render(**values))


def trusted(svg: str) -> Markup:
    """Markup that this package drew itself and escaped while drawing."""
    return Markup(svg)


def join(parts: list[Markup]) -> Markup:
    """One after the other."""
    return Markup("\n").join(parts)
