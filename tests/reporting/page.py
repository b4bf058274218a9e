"""A page as a test reads it: elements by id, tables by their cells, links by their target."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class PageTable:
    """Heads and rows of texts, with each cell's exact number where it has one."""

    id: str
    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    values: list[list[float | None]] = field(default_factory=list)

    def column(self, head: str) -> list[str]:
        """Texts of a column."""
        return [row[self.heads.index(head)] for row in self.rows]

    def numbers(self, head: str) -> list[float | None]:
        """Exact numbers of a column."""
        return [row[self.heads.index(head)] for row in self.values]


class Page(HTMLParser):
    """Parses once; ``tables``, ``ids``, ``links``, ``labels`` and ``tags`` are what was found."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, PageTable] = {}
        self.ids: list[str] = []
        self.links: list[dict[str, str | None]] = []
        self.resources: list[str] = []
        self.images_without_text: list[str] = []
        self.tags: list[str] = []
        self._table: PageTable | None = None
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        self.tags.append(tag)
        if have.get("id"):
            self.ids.append(str(have["id"]))
        if tag == "a":
            self.links.append(have)
        elif "href" in have or "src" in have:
            self.resources.append(str(have.get("href") or have.get("src")))
        if tag == "svg" and not (have.get("aria-label") or have.get("aria-hidden")):
            self.images_without_text.append(str(have))
        if tag == "table":
            self._table = PageTable(str(have.get("id", "")))
            self.tables[self._table.id] = self._table
        elif tag == "tr" and self._table is not None:
            self._table.rows.append([])
            self._table.values.append([])
        elif tag in {"td", "th"} and self._table is not None:
            self._cell = []
            value = have.get("data-v")
            self._table.values[-1].append(float(value) if value else None)
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._table is not None and self._cell is not None:
            self._table.rows[-1].append("".join(self._cell).strip())
            self._cell = None
        elif tag == "table" and self._table is not None:
            self._table.heads = self._table.rows.pop(0)
            self._table.values.pop(0)
            self._table = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def csv(self, name: str) -> list[dict[str, str]]:
        """Rows of a download link."""
        (link,) = [a for a in self.links if a.get("download") == f"{name}.csv"]
        text = base64.b64decode(str(link["href"]).partition("base64,")[2]).decode()
        return list(csv.DictReader(io.StringIO(text)))
