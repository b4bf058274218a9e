"""A study's tables: what is wrong in them is said with file, row, column and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cytometry.errors import StudyError
from cytometry.io.study import load_study
from cytometry.model.clinical import SLEDAI_WEIGHTS
from cytometry.model.findings import Finding

STUDY = """\
schema_version: 1
study: {id: test, title: "A test"}
samples: samples.csv
clinical: clinical.csv
visits:
  - {id: w0, week: 0, window: [-7, 0], baseline: true}
  - {id: w4, week: 4, window: [21, 35]}
panels: {bcell: bcell_v1, treg: treg_v1}
"""
SAMPLES = """\
sample_id,fcs_file,panel,subject_id,visit,role,batch
S1,a.fcs,bcell,P1,w0,,B1
S2,b.fcs,bcell,P1,w4,,B1
F1,c.fcs,bcell,,,fmo:CD27,B1
"""
CLINICAL = """\
subject_id,visit,study_day,sledai,pga,prednisone_mg_per_day
P1,w0,-1,10,1.5,10
P1,w4,28,4,0.5,7.5
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    for name in ("a.fcs", "b.fcs", "c.fcs"):
        (tmp_path / name).touch()

    def make(*, study: str = STUDY, samples: str | bytes = SAMPLES, clinical: str | bytes = CLINICAL) -> Path:
        for name, text in (("study.yaml", study), ("samples.csv", samples), ("clinical.csv", clinical)):
            (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path / "study.yaml"

    return make


def _problems(path: Path) -> list[Finding]:
    with pytest.raises(StudyError) as caught:
        load_study(path)
    return [f for f in caught.value.findings if f.severity == "error"]


def test_a_good_study_is_read_and_typed(write: Write) -> None:
    study = load_study(write())
    assert (study.id, study.baseline.id, study.visit_ids, study.subject_ids) == ("test", "w0", ("w0", "w4"), ("P1",))
    assert [s.role for s in study.samples] == ["sample", "sample", "fmo:CD27"]
    assert (study.clinical[1]["sledai"], study.clinical[1]["prednisone_mg_per_day"]) == (4, 7.5)
    assert [f.code for f in study.findings] == []


def test_a_misspelt_column_is_named_with_its_file_and_a_suggestion(write: Write) -> None:
    found = _problems(write(samples=SAMPLES.replace("panel", "pannel")))
    unknown = next(f for f in found if f.code == "COLUMN_UNKNOWN")
    assert (unknown.file, unknown.keyword) == ("samples.csv", "pannel")
    assert "did you mean 'panel'?" in unknown.fix


def test_problems_of_all_tables_are_reported_at_once(write: Write) -> None:
    samples = SAMPLES.replace("S2,b.fcs,bcell,P1,w4", "S1,b.fc,bcel,P1,w5")
    clinical = CLINICAL.replace("P1,w4,28,4", "P1,w4,28,140")
    found = {(f.file, f.segment, f.keyword, f.code) for f in _problems(write(samples=samples, clinical=clinical))}
    assert found == {
        ("samples.csv", "row 3", "sample_id", "KEY_REPEATED"),
        ("samples.csv", "row 3", "fcs_file", "FILE_MISSING"),
        ("samples.csv", "row 3", "panel", "PANEL_UNKNOWN"),
        ("samples.csv", "row 3", "visit", "VISIT_UNKNOWN"),
        ("clinical.csv", "row 3", "sledai", "CELL_INVALID"),
    }


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "fix"),
    [
        ("bcell,P1,w4", "bcel,P1,w4", "PANEL_UNKNOWN", "'bcel' is not one of bcell, treg", "did you mean 'bcell'?"),
        ("b.fcs", "/data/b.fcs", "PATH_ABSOLUTE", "'/data/b.fcs' is an absolute path", "relative to this table"),
        ("b.fcs", "bb.fcs", "FILE_MISSING", "there is no file 'bb.fcs'", "did you mean 'b.fcs'?"),
        ("S2,b.fcs", "S2,a.fcs", "FILE_REPEATED", "'a.fcs' stands in row 2 already", "one row per file"),
        ("S2,", "s1,", "SAMPLE_ID_CASE", "'s1' differs from row 2 in capitals only", "folder names"),
        ("S2,", "../S2,", "CELL_INVALID", "'../S2' does not fit", "names the results"),
        ("P1,w4", "P1,w0", "TUBE_REPEATED", "P1, w0, bcell stands in row 2 already", "replicate"),
        ("P1,w4", ",w4", "CELL_EMPTY", "is empty, and the role is sample", "fill it in"),
        ("w4,,B1", "w4,smaple,B1", "CELL_INVALID", "'smaple' does not fit", "sample (default)"),
        ("bcell,P1,w4", "?,P1,w4", "CELL_INVALID", "a guess that nobody has reviewed", "correct it"),
    ],
)
def test_what_is_wrong_in_samples_is_said(write: Write, old: str, new: str, code: str, message: str, fix: str) -> None:
    found = next(f for f in _problems(write(samples=SAMPLES.replace(old, new, 1))) if f.code == code)
    assert found.file == "samples.csv"
    assert found.segment == "row 3"
    assert message in found.message
    assert fix in found.fix


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("28,4,", "28,4.5,", "CELL_INVALID", "'4.5' is not a whole number"),
        ("28,4,0.5", "28,4,5", "CELL_INVALID", "'5' is out of range"),
        ("28,4,", "28,-999,", "CELL_INVALID", "'-999' stands for nothing that is declared"),
        ("28,4,", "28,n/a,", "CELL_INVALID", "'n/a' stands for nothing that is declared"),
        ("28,4,0.5", '28,4,"0,5"', "CELL_INVALID", "'0,5' is not a number"),
        ("-1,10", "3,10", "BASELINE_AFTER_INFUSION", "baseline lies on day 3"),
        ("P1,w4", "P1,wk4", "VISIT_UNKNOWN", "'wk4' is not a visit"),
        ("P1,w4", "P1,w0", "KEY_REPEATED", "subject_id 'P1', visit 'w0' stands in row 2 already"),
    ],
)
def test_what_is_wrong_in_the_clinic_is_said(write: Write, old: str, new: str, code: str, message: str) -> None:
    found = [f for f in _problems(write(clinical=CLINICAL.replace(old, new, 1))) if f.code == code]
    assert found
    assert message in found[0].message


def _with_items(total: int, **items: int) -> str:
    names = [f"sledai_{i}" for i in SLEDAI_WEIGHTS]
    values = [str(items.get(i, 0)) for i in SLEDAI_WEIGHTS]
    return f"subject_id,visit,sledai,{','.join(names)}\nP1,w0,{total},{','.join(values)}\n"


def test_sledai_items_have_to_add_up(write: Write) -> None:
    assert load_study(write(clinical=_with_items(12, seizure=8, arthritis=4))).clinical[0]["sledai"] == 12
    found = _problems(write(clinical=_with_items(10, seizure=8, arthritis=4)))
    assert [(f.code, f.message) for f in found] == [("SLEDAI_SUM", "column sledai: 10 is not the sum of the items, 12")]


def test_a_sledai_item_has_its_full_weight_or_none(write: Write) -> None:
    found = _problems(write(clinical=_with_items(2, seizure=2)))
    assert "'2' is not one of 0, 8" in found[0].message


def test_some_sledai_items_without_the_others_are_refused(write: Write) -> None:
    found = _problems(write(clinical="subject_id,visit,sledai,sledai_rash\nP1,w0,2,2\n"))
    assert found[0].code == "SLEDAI_ITEMS_INCOMPLETE"
    assert "1 of 24" in found[0].message


@pytest.mark.parametrize("name", ["patient_name", "DOB", "mrn", "Initials"])
def test_columns_that_say_who_somebody_is_are_refused_even_if_declared(write: Write, name: str) -> None:
    clinical = CLINICAL.replace("\n", f",{name}\n", 1).replace("10\n", "10,x\n").replace("7.5\n", "7.5,y\n")
    found = _problems(write(study=STUDY + f"extra_columns: [{name}]\n", clinical=clinical))
    assert [f.code for f in found] == ["COLUMN_IDENTIFYING"]


def test_declared_extra_columns_and_missing_values_pass(write: Write) -> None:
    study = STUDY + "extra_columns: [note]\nmissing_values: ['-999']\n"
    clinical = CLINICAL.replace("per_day\n", "per_day,note\n").replace("28,4,", "28,-999,")
    read = load_study(write(study=study, clinical=clinical))
    assert read.clinical[1]["sledai"] is None


GERMAN = "subject_id;visit;study_day;sledai;pga;prednisone_mg_per_day\r\nP1;w0;-1;10;1,5;10\r\nP1;w4;28;4;0,5;7,5\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + GERMAN.encode(),
        GERMAN.encode("latin-1"),
        GERMAN.replace(";", "\t").encode("utf-16"),
        GERMAN.encode() + b";;;;;\r\n",
    ],
    ids=["BOM", "Latin-1", "UTF-16 with tabs", "empty last row"],
)
def test_a_table_that_a_german_excel_saved_is_read_with_a_finding(write: Write, data: bytes) -> None:
    study = load_study(write(clinical=data))
    assert [(r["pga"], r["prednisone_mg_per_day"]) for r in study.clinical] == [(1.5, 10.0), (0.5, 7.5)]
    assert [f.code for f in study.findings] == ["TABLE_DIALECT", "TABLE_DECIMAL_COMMA"]


def test_a_number_that_can_be_read_in_two_ways_is_refused(write: Write) -> None:
    found = _problems(write(clinical=GERMAN.replace("0,5", "1.500")))
    assert "thousands separator or a decimal point" in found[0].message


def test_umlauts_of_an_old_code_page_survive(write: Write) -> None:
    samples = SAMPLES.replace("batch\n", "batch,operator\n", 1).replace("w0,,B1", "w0,,B1,Jörg")
    study = load_study(write(samples=samples.encode("latin-1")))
    assert study.samples[0].operator == "Jörg"


def test_a_spreadsheet_file_is_told_from_text(write: Write) -> None:
    assert "is a spreadsheet, not a CSV file" in _problems(write(samples=b"PK\x03\x04rest"))[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STUDY + "vists: []\n", "'vists' is unknown"),
        (STUDY.replace("week: 4", "week: four"), "'visits[1].week': Input should be a valid number"),
        (STUDY.replace(", baseline: true", ""), "exactly one visit has to say 'baseline: true'"),
        (STUDY + "plan: {alpha: 2}\n", "'plan.alpha'"),
        (STUDY + "plan: {confirmatory: [{population: dn, scale: logit, visit: w4}]}\n", "'logit' is not a scale"),
        (STUDY + "plan: {confirmatory: [{population: dn, visit: w5}]}\n", "'w5' is not a visit"),
        (STUDY + "plan: {confirmatory: [{population: dn, visit: w0}]}\n", "'w0' is the baseline itself"),
    ],
)
def test_what_is_wrong_in_study_yaml_is_said(write: Write, text: str, message: str) -> None:
    assert message in " ".join(f.message for f in _problems(write(study=text)))


def test_an_unknown_key_gets_a_suggestion(write: Write) -> None:
    assert _problems(write(study=STUDY + "vists: []\n"))[0].fix == "did you mean 'visits'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "is not valid YAML"),
        ("a: &x 1\nb: *x\n", "aliases (*name) are not allowed"),
        ("a: 1\na: 2\n", "'a' stands there twice"),
        ("!!python/object/apply:os.system ['true']\n", "is not valid YAML"),
        ("- 1\n", "is not a mapping"),
    ],
)
def test_yaml_that_is_broken_or_hostile_is_refused(write: Write, text: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(write(study=text))
    assert message in str(caught.value)
    assert "study.yaml" in caught.value.where


def test_visits_that_are_batches_are_a_warning(write: Write) -> None:
    study = load_study(write(samples=SAMPLES.replace("w4,,B1", "w4,,B2")))
    assert [(f.code, f.severity) for f in study.findings] == [("VISIT_IS_BATCH", "warning")]
