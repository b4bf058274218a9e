"""Spillover matrices in files of several programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import SpilloverError
from cytometry.io.spillover import read_spillover_csv

PLAIN = "FITC-A,PE-A\n1,0.18\n0.02,1\n"
MATRIX = np.array([[1, 0.18], [0.02, 1]])


def read(folder: Path, text: str | bytes, name: str = "matrix.csv"):  # type: ignore[no-untyped-def]
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_spillover_csv(path)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        ",FITC-A,PE-A\nFITC-A,1,0.18\nPE-A,0.02,1\n",
        '"","FITC-A","PE-A"\n"FITC-A",1,0.18\n"PE-A",0.02,1\n',
        "FITC-A,PE-A\nFITC-A,1,0.18\nPE-A,0.02,1\n",
        ",FITC-A,PE-A\nPE-A,0.02,1\nFITC-A,1,0.18\n",
        "FITC-A\tPE-A\n1\t0.18\n0.02\t1\n",
        "FITC-A;PE-A\n1;0,18\n0,02;1\n",
        "\ufeffFITC-A,PE-A\r\n1,0.18\r\n0.02,1\r\n",
        ",Comp-FITC-A :: CD45,Comp-PE-A :: CD34\nComp-FITC-A :: CD45,1,0.18\nComp-PE-A :: CD34,0.02,1\n",
        "dye,FITC-A,PE-A\nCD34 PE,0.02,1\nCD45 FITC,1,0.18\n",
    ],
)
def test_every_layout_gives_the_same_matrix(text: str, tmp_path: Path) -> None:
    spillover = read(tmp_path, text)
    assert spillover.channels == ("FITC-A", "PE-A")
    np.testing.assert_array_equal(spillover.matrix, MATRIX)


def test_flowjo_matrix_is_read(tmp_path: Path) -> None:
    transforms = "http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
    data = "http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"
    rows = "".join(
        f'<transforms:spillover data-type:parameter="{dye}">'
        + "".join(
            f'<transforms:coefficient data-type:parameter="{d}" transforms:value="{v}"/>'
            for d, v in zip(("FITC-A", "PE-A"), row, strict=True)
        )
        + "</transforms:spillover>"
        for dye, row in zip(("FITC-A", "PE-A"), MATRIX, strict=True)
    )
    text = (
        f'<?xml version="1.0"?><gating:gatingML xmlns:gating="g" xmlns:transforms="{transforms}" '
        f'xmlns:data-type="{data}"><transforms:spilloverMatrix name="m" prefix="Comp-">{rows}'
        "</transforms:spilloverMatrix></gating:gatingML>"
    )
    spillover = read(tmp_path, text, "m.mtx")
    assert spillover.channels == ("FITC-A", "PE-A")
    np.testing.assert_array_equal(spillover.matrix, MATRIX)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "matrix.csv"),
        ("FITC-A,PE-A\n1,0.18\n", "1 rows"),
        ("FITC-A,PE-A\n1,0.18\n0.02,one\n", "row 3: 'one'"),
        ("FITC-A,PE-A\n1,0.18,3\n0.02,1\n", "row 2: 3 numbers"),
        ("FITC-A,FITC-A\n1,0.18\n0.02,1\n", "FITC-A more than once"),
        (",FITC-A,PE-A\nFITC-A,1,0.18\nFITC-A,0.02,1\n", "row FITC-A more than once"),
        (",FITC-A,PE-A\nFITC-A,1,0.18\nAPC-A,0.02,1\n", "no row for PE-A"),
        ("FITC-A,PE-A\n1,1\n1,1\n", "singular"),
        ("FITC-A,PE-A\n100,18\n2,100\n", "100 on the diagonal at FITC-A"),
        ("FITC-A,PE-A\n0,1\n1,0\n", "0 on the diagonal at FITC-A"),
        ("FITC-A,PE-A\n1,nan\n0,1\n", "'nan' is no number"),
        (b"PK\x03\x04", "spreadsheet"),
        ("<html></html>", "no spillover matrix"),
    ],
)
def test_what_is_no_usable_matrix_is_refused_by_name(text: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpilloverError, match=words) as caught:
        read(tmp_path, text)
    assert "matrix.csv" in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpilloverError, match="No such file"):
        read_spillover_csv(tmp_path / "none.csv")
