# `make demo` and `make test` are all that a fresh machine needs: Python 3.11+ with pip, and make.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out/demo

.PHONY: demo test test-full test-browser lint bench docs sample clean

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv 2>/dev/null || $(PYTHON) -m venv --clear --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m compileall -q cytometry  # pip does it for every package but an editable one
	touch $@

demo: .venv/.ready
	$(BIN)/cytometry run sample_fcs/study.yaml -o $(OUT)

test: .venv/.ready
	$(BIN)/python -m pytest

test-browser: .venv/.ready
	$(BIN)/python -m pytest -m browser

test-full: .venv/.ready
	$(BIN)/python -m pytest -m "slow or not slow"

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready
	$(BIN)/python benchmarks/read_fcs.py
	$(BIN)/python -m benchmarks.gating
	$(BIN)/python -m benchmarks.truth

docs: .venv/.ready
	$(BIN)/python tools/write_docs.py

sample: .venv/.ready
	$(BIN)/cytometry init --demo sample_fcs --force

clean:
	rm -rf .venv out .pytest_cache .mypy_cache .ruff_cache
