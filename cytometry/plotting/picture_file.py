"""A gate's picture as a file of its own."""

from __future__ import annotations

from typing import Final

from cytometry.plotting.gate_picture import HEIGHT, WIDTH, gate_picture, shared_frame
from cytometry.quantification.previews import GatePreview

# Screen pixels per drawing unit: large enough to judge a boundary by.
_SCALE: Final = 4
# What the report's style sheet says of the picture's classes; a file has no style sheet.
_STYLE: Final = (
    "svg{font-family:Inter,'Segoe UI','DejaVu Sans',Arial,sans-serif;background:#fff}"
    ".pf{fill:#fff;stroke:#8a949b;stroke-width:.6}.pt{stroke:#8a949b;stroke-width:.6}"
    "image{image-rendering:pixelated}.px,.py{font-size:6.6px;fill:#39434a}.px{text-anchor:middle}"
    ".py{text-anchor:end}.pa{font-size:8.5px;text-anchor:middle;fill:#1d252c}"
    ".po{fill:none;stroke-width:1.1;stroke-linejoin:round}"
    ".pp{font-size:8.5px;font-weight:700;paint-order:stroke;stroke:#fff;stroke-width:2.4px;stroke-linejoin:round}"
)


def picture_file(preview: GatePreview, *, description: str) -> str:
    """The drawing of the report's contact sheet as a standalone SVG document."""
    svg = gate_picture(preview, shared_frame([preview]), element_id="gate", description=description)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * _SCALE:g}" height="{HEIGHT * _SCALE:g}" '
        f'class="pic" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"'
    )
    rest = svg.partition(' role="img"')[2]
    tag, _, body = rest.partition(">")
    return f"{head}{tag}><style>{_STYLE}</style>{body}\n"
