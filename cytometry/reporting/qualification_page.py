"""The report of an installation's own qualification: a page, Markdown and JSON of the same claims."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cytometry.model.claims import Claim
from cytometry.reporting.markup import render


def qualification_html(claims: Sequence[Claim], versions: Mapping[str, str]) -> str:
    """One page that needs nothing else."""
    return str(render("qualification.html", claims=claims, versions=versions, sentence=sentence(claims)))


def qualification_markdown(claims: Sequence[Claim], versions: Mapping[str, str]) -> str:
    """The same for a document."""
    lines = ["# Qualification of this installation", "", sentence(claims), ""]
    lines += ["| | area | claim | expected | found | source |", "|---|---|---|---|---|---|"]
    for claim in claims:
        cells = ("holds" if claim.holds else "FAILS", claim.area, claim.says, claim.wanted, claim.seen, claim.source)
        lines.append("| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |")
    lines += ["", ", ".join(f"{name} {version}" for name, version in versions.items()), ""]
    return "\n".join(lines)


def qualification_json(claims: Sequence[Claim], versions: Mapping[str, str]) -> str:
    """The same for a program."""
    document = {
        "schema_version": 1,
        "status": "holds" if all(c.holds for c in claims) else "fails",
        "claims": [
            {
                "area": c.area,
                "claim": c.says,
                "source": c.source,
                "relation": c.relation,
                "expected": c.expected,
                "tolerance": c.tolerance,
                "found": c.found if isinstance(c.found, str) or c.found == c.found else None,
                "holds": c.holds,
            }
            for c in claims
        ],
        "versions": dict(versions),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sentence(claims: Sequence[Claim]) -> str:
    """The verdict."""
    failed = sum(not c.holds for c in claims)
    return f"{len(claims) - failed} of {len(claims)} claims hold" + (f", {failed} do not." if failed else ".")
