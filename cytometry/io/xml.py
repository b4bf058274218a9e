"""XML of strangers: no entities, no network, bounded in size, depth and number of elements."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from cytometry.errors import StrategyError

MEBIBYTE = 2**20
# A tree of two hundred populations has about 60 levels in FlowJo, 10 in GatingML.
MAX_DEPTH = 400
# Ten million elements take about a minute and 2 GB; no real workspace seen has a tenth of that.
MAX_ELEMENTS = 4_000_000


def read_xml(path: Path, *, max_bytes: int) -> Element:
    """Parse a file.

    Raises
    ------
    StrategyError
        The file cannot be read, is too large or too deep, declares a document
        type or entities, or is not well-formed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise StrategyError(
            f"cannot be read: {error.strerror or error}", where=str(path), code="STRATEGY_UNREADABLE"
        ) from error
    return parse_xml(data, where=str(path), max_bytes=max_bytes)


def parse_xml(data: bytes, *, where: str, max_bytes: int) -> Element:
    """Parse bytes; same limits and errors as :func:`read_xml`."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(data) > max_bytes:
        raise StrategyError(
            f"is larger than {max_bytes // MEBIBYTE} MiB",
            where=where,
            hint="a file of gates is not that large; remove samples that are not needed",
            code="XML_TOO_LARGE",
        )
    parser = DefusedXMLParser(target=_BoundedBuilder(where), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
    except DefusedXmlException as error:
        raise StrategyError(
            "declares a document type or an entity, which is not read",
            where=where,
            hint="remove the <!DOCTYPE …> part",
            code="XML_FORBIDDEN",
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise StrategyError(
            f"is not well-formed XML: {error}",
            where=where,
            hint="export it again; an interrupted download or save looks like this",
            code="XML_MALFORMED",
        ) from error
    if not isinstance(root, Element):
        raise StrategyError("is not well-formed XML: no element", where=where, code="XML_MALFORMED")
    return root


class _BoundedBuilder(TreeBuilder):
    """Builds elements only while the limits hold."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise StrategyError(
                f"is nested deeper than {MAX_DEPTH} levels or has more than {MAX_ELEMENTS} elements",
                where=self._where,
                hint="this is not a file of gates",
                code="XML_TOO_LARGE",
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)
