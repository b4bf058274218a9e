"""Values of ``study.yaml`` that are changed for one run: ``--set plan.alpha=0.01``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cytometry.errors import RequestError, StudyError
from cytometry.io.yaml_file import parse_yaml

# A name of study.yaml may be a population's: b-cells, CD4+, root/live, "a.b"
_STEP = r'(?:"[^"]+"|[^.="\[\]\s](?:[^.="\[\]]*[^.="\[\]\s])?)(?:\[[0-9]+\])*'
_CHANGE = re.compile(rf"\s*(?P<key>{_STEP}(?:\.{_STEP})*)\s*=(?P<value>.*)", re.DOTALL)
_PARTS = re.compile(r'"(?P<quoted>[^"]+)"|\[(?P<index>[0-9]+)\]|(?P<plain>[^.="\[\]]+)')
_EXAMPLE = (
    "write KEY=VALUE, for example plan.alpha=0.01 or visits[1].primary=true; "
    'a name with one of . = [ ] in double quotes: plan.scales."a.b"=log'
)

Document = dict[str, object]


def parse_changes(given: Sequence[str]) -> Mapping[str, str]:
    """Keys and values of ``KEY=VALUE`` texts, in their order.

    >>> dict(parse_changes(["plan.alpha=0.01", "study.title=a = b"]))
    {'plan.alpha': '0.01', 'study.title': 'a = b'}

    Raises
    ------
    RequestError
        A text is no such pair, or a key is given twice.
    """
    changes: dict[str, str] = {}
    for text in given:
        match = _CHANGE.fullmatch(text)
        if match is None:
            raise RequestError(f"--set {text}: is no KEY=VALUE", hint=_EXAMPLE, code="SETTING_INVALID")
        key, value = match["key"], match["value"]
        if key in changes:
            raise RequestError(f"--set {key} is given twice", hint="leave one out", code="SETTING_INVALID")
        changes[key] = value.strip()
    return changes


def apply_changes(document: Mapping[str, object], changes: Mapping[str, str]) -> Document:
    """The document with these values in place of its own; whether they are allowed its schema says.

    Values are YAML, as they would stand in the file.

    Raises
    ------
    StudyError
        A key leads nowhere, or a value is no YAML.
    """
    changed = _copied(document)
    for key, text in changes.items():
        steps = _steps(key)
        place: object = changed
        for step in steps[:-1]:
            if isinstance(place, dict) and isinstance(step, str):
                place = place.setdefault(step, {})
            else:
                place = _item(place, step, key)
        _put(place, steps[-1], parse_yaml(text, error=StudyError, name=f"--set {key}"), key)
    return changed


def _steps(key: str) -> list[str | int]:
    return [m["quoted"] or m["plain"] or int(m["index"]) for m in _PARTS.finditer(key)]


def _item(place: object, step: str | int, key: str) -> object:
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        return place[step]
    raise _nowhere(key, place)


def _put(place: object, step: str | int, value: object, key: str) -> None:
    if isinstance(place, dict) and isinstance(step, str):
        place[step] = value
        return
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        place[step] = value
        return
    raise _nowhere(key, place)


def _nowhere(key: str, place: object) -> StudyError:
    if isinstance(place, list):
        hint = f"a list of {len(place)} stands there, counted from [0]"
    elif isinstance(place, dict):
        hint = f"there is {', '.join(map(str, place))}"
    else:
        hint = f"{place!r} stands there and has no parts"
    return StudyError("leads nowhere in study.yaml", where=f"--set {key}", hint=hint, code="SETTING_INVALID")


def _copied(value: Mapping[str, object]) -> Document:
    def copy(part: object) -> object:
        if isinstance(part, Mapping):
            return {k: copy(v) for k, v in part.items()}
        return [copy(v) for v in part] if isinstance(part, list) else part

    return {k: copy(v) for k, v in value.items()}
