"""What inspection says, in JSON and of several data sets."""

from __future__ import annotations

import binascii
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cytometry.io.fcs import inspect_fcs, read_fcs
from tests.io.fcs.builder import Fcs, float_file, integer_file

KEYS = {
    "path", "sha256", "status", "version", "cytometer", "date", "n_events", "byte_order", "data_type", "channels",
    "spillover", "datasets", "findings", "agreement",
}  # fmt: skip
FINDING_KEYS = {
    "code", "severity", "message", "file", "dataset", "segment", "keyword", "byte_range", "found", "expected", "fix",
}  # fmt: skip


def write(folder: Path, file: Fcs, name: str = "a.fcs") -> Path:
    path = folder / name
    path.write_bytes(file.bytes())
    return path


def test_json_has_the_settled_form(tmp_path: Path) -> None:
    file = float_file().set(_DATE="13-JUN-2024", _P3G="2", _P3V="450", _OP="a")
    row = json.loads(json.dumps(inspect_fcs(write(tmp_path, file)).to_dict(), allow_nan=False))
    assert set(row) == KEYS
    assert (row["status"], row["version"], row["cytometer"]) == ("ok", "FCS3.1", "Example One")
    assert (row["date"], row["n_events"], row["byte_order"], row["data_type"]) == ("13-JUN-2024", 200, "1,2,3,4", "F")
    assert row["channels"][2] == {
        "name": "FITC-A",
        "marker": "CD45",
        "range": 262144.0,
        "bits": 32,
        "gain": 2.0,
        "amplification": [0.0, 0.0],
        "voltage": 450.0,
    }
    assert row["spillover"] == {"channels": ["FITC-A", "PE-A"], "matrix": [[1.0, 0.18], [0.02, 1.0]]}
    assert row["datasets"] == 1


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (float_file(), "ok"),
        (float_file().set(_P3N="PE-A"), "warning"),
        (float_file().set(_BYTEORD="middle"), "error"),
    ],
)
def test_status_is_the_gravest_finding(file: Fcs, status: str, tmp_path: Path) -> None:
    inspection = inspect_fcs(write(tmp_path, file))
    row = inspection.to_dict()
    assert row["status"] == status
    assert all(set(f) == FINDING_KEYS for f in row["findings"])  # type: ignore[attr-defined]


def test_what_is_no_fcs_file_has_its_hash_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.fcs"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    inspection = inspect_fcs(path)
    assert inspection.status == "error"
    assert len(inspection.sha256) == 64
    assert inspection.n_datasets == 0
    assert "LFS" in inspection.findings[0].message


def test_refused_second_data_set_is_a_warning_for_the_file(tmp_path: Path) -> None:
    first, second = float_file(100), integer_file(50).set(_BYTEORD="middle")
    link = len(first.set(_NEXTDATA="000000").bytes())
    path = tmp_path / "a.lmd"
    path.write_bytes(first.set(_NEXTDATA=str(link).rjust(6, "0")).bytes() + second.bytes())
    inspection = inspect_fcs(path)
    assert inspection.status == "warning"
    assert [(f.code, f.dataset) for f in inspection.findings] == [("DATASETS_SEVERAL", 0), ("BYTEORD", 1)]


def test_other_readers_agree_on_plain_files(tmp_path: Path) -> None:
    agreement = inspect_fcs(write(tmp_path, float_file()), second_opinion=True).agreement
    assert agreement is not None
    assert [o.verdict for o in agreement.opinions] == ["agrees", "agrees"]
    assert agreement.summary == "agree"


def test_big_endian_file_is_read_by_fcsparser_too(tmp_path: Path) -> None:
    agreement = inspect_fcs(write(tmp_path, float_file(order=">")), second_opinion=True).agreement
    assert agreement is not None
    assert {o.reader.split()[0]: o.verdict for o in agreement.opinions} == {"FlowIO": "agrees", "fcsparser": "agrees"}


def test_disagreement_is_a_finding_that_names_the_first_difference(tmp_path: Path) -> None:
    # Empty $P1S, and $P2N right behind it, which FlowIO takes for the rest of an escaped value.
    file = float_file()
    pairs = list(file.pairs)
    at = next(i for i, (k, _) in enumerate(pairs) if k == "$P2N")
    pairs.insert(at, ("$P1S", "RAW:"))
    inspection = inspect_fcs(write(tmp_path, replace(file, pairs=tuple(pairs))), second_opinion=True)
    differing = [f for f in inspection.findings if f.code == "READERS_DIFFER"]
    assert any("FlowIO" in f.message for f in differing)
    assert inspection.agreement is not None
    assert inspection.agreement.summary == "differ"


@pytest.mark.parametrize("start", [0, 0xFFFF])
@pytest.mark.parametrize("base", ["d", "X"])
def test_check_word_that_agrees_is_for_the_record(start: int, base: str, tmp_path: Path) -> None:
    file = float_file(version="FCS3.0")
    word = format(binascii.crc_hqx(file.bytes(), start), f"08{base}").encode()
    findings = read_fcs(write(tmp_path, replace(file, tail=word))).findings
    assert [f.code for f in findings] == ["CRC_AGREES"]


def test_changed_byte_is_noticed_where_there_is_a_check_word(tmp_path: Path) -> None:
    file = float_file(version="FCS3.0")
    word = f"{binascii.crc_hqx(file.bytes(), 0):08d}".encode()
    content = bytearray(replace(file, tail=word).bytes())
    content[file.begin + 1000] ^= 1
    path = tmp_path / "a.fcs"
    path.write_bytes(content)
    assert [f.code for f in read_fcs(path).findings] == ["CRC_DIFFERS"]
