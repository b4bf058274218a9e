"""Matplotlib figures without pyplot, as SVG text that is the same in every run."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cytometry.plotting.palette import INK, MUTED, RULE

# svg.hashsalt makes ids reproducible; fonttype none leaves text as text, so that it can be searched and read aloud.
STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "svg.hashsalt": "cytometry",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9.0,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        "text.parse_math": False,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "legend.frameon": False,
    }
)


def drawing() -> AbstractContextManager[None]:
    """The style in force: create axes inside it."""
    return mpl.rc_context(dict(STYLE))


def figure_svg(figure: Figure, *, title: str, prefix: str) -> str:
    """Inline SVG of a figure, described by ``title``, with ids that no other figure of the page has.

    Parameters
    ----------
    figure
        Drawn inside :func:`drawing`.
    title
        Text for readers who do not see the figure.
    prefix
        Put before every id; letters, digits and hyphens.
    """
    buffer = io.StringIO()
    with drawing():
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{prefix}-\2"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    # Matplotlib names its own font; the page has no such file, so the page's font is asked for.
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()  # type: ignore[union-attr]
    head = (
        f'<svg class="fig" viewBox="0 0 {width} {height}" style="max-width:{float(width) * 4 / 3:.0f}px" '
        f'role="img" aria-label={quoteattr(title)} xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><title>{escape(title)}</title>'
    )
    return head + text[text.index(">") + 1 :].strip()
