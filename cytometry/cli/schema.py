"""``cytometry schema``: JSON Schemas of what a person writes, generated from the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import click

from cytometry.cli.output import print_json


def _study() -> dict[str, Any]:
    from cytometry.model.study import StudyFile

    return StudyFile.model_json_schema()


def _panel() -> dict[str, Any]:
    from cytometry.model.panel import PanelFile

    return PanelFile.model_json_schema()


def _strategy() -> dict[str, Any]:
    from cytometry.model.template import GatingTemplate

    return GatingTemplate.model_json_schema()


def _table(name: str) -> Callable[[], dict[str, Any]]:
    def schema() -> dict[str, Any]:
        from cytometry.model.input_tables import INPUT_TABLES
        from cytometry.model.json_schema import table_json_schema

        return table_json_schema(INPUT_TABLES[name])

    return schema


def _result(name: str) -> Callable[[], dict[str, Any]]:
    def schema() -> dict[str, Any]:
        from cytometry.model.json_schema import table_json_schema
        from cytometry.model.tables import RESULT_TABLES

        return table_json_schema(RESULT_TABLES[name])

    return schema


_SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = MappingProxyType(
    {
        "study": _study,
        "samples": _table("samples"),
        "clinical": _table("clinical"),
        "subjects": _table("subjects"),
        "assays": _table("assays"),
        "panel": _panel,
        "strategy": _strategy,
        "counts": _result("counts"),
        "frequencies": _result("frequencies"),
        "intensities": _result("intensities"),
        "thresholds": _result("thresholds"),
    }
)


@click.command()
@click.argument("name", type=click.Choice(tuple(_SCHEMAS)))
def schema(name: str) -> None:
    """Print the JSON Schema of NAME: a file that a person writes, or the rows of a table."""
    document = _SCHEMAS[name]()
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **document})
