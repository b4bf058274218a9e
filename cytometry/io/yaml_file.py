"""YAML without surprises: no repeated keys, no aliases, no dates or yes/no words turned into something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from cytometry.errors import CytometryError

# A panel or study file is a few kB; beyond this somebody means harm or a mistake.
_MAX_BYTES = 2_000_000


class _PlainLoader(yaml.SafeLoader):
    """YAML 1.2's booleans, no timestamps, no aliases, no repeated keys."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {  # type: ignore[misc]
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise yaml.constructor.ConstructorError(None, None, "a key is not plain text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands there twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_yaml(path: Path, *, error: type[CytometryError], name: str | None = None) -> object:
    """Read one YAML document.

    Raises
    ------
    CytometryError
        Of the given class: the file is missing, too large, or not plain YAML; with line and column.
    """
    shown = name or path.name
    try:
        data = path.read_bytes()
    except OSError as problem:
        code = "FILE_MISSING" if isinstance(problem, FileNotFoundError) else "FILE_UNREADABLE"
        raise error(
            f"cannot be read: {problem.strerror or problem}", where=shown, hint=f"looked for it at {path}", code=code
        ) from problem
    if len(data) > _MAX_BYTES:
        raise error(f"is larger than {_MAX_BYTES // 1_000_000} MB", where=shown, hint="split it", code="YAML_TOO_LARGE")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error("is not UTF-8 text", where=shown, hint="save it as UTF-8", code="YAML_INVALID") from problem
    return parse_yaml(text, error=error, name=shown)


def parse_yaml(text: str, *, error: type[CytometryError], name: str) -> object:
    """One YAML document from text; as :func:`read_yaml`."""
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = f"{name} line {mark.line + 1} column {mark.column + 1}" if mark else name
        raise error(
            f"is not valid YAML: {problem.problem}",
            where=place,
            hint="check indentation, colons and quotes",
            code="YAML_INVALID",
        ) from problem
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise error(f"is not valid YAML: {problem}", where=name, hint="see the docs", code="YAML_INVALID") from problem
