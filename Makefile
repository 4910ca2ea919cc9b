# Two commands: `make demo` shows the whole thing, `make test` checks it. Both set up .venv first.
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null)) python3)
BIN := .venv/bin

.PHONY: demo test lint peers setup
demo: setup
	$(BIN)/ecgwm-agent demo

# Two workers with one thread each: with more threads than cores torch waits for itself.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# NeuroKit2, which `evaluate delineation --neurokit .venv-peers/bin/python` sets beside us; it pins an old pandas.
peers:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check neurokit2==0.2.13

setup: .venv/.installed

# torch is pinned in constraints.txt: where the index carries a CPU build of that version, pip takes it.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "ecgwm-agent needs Python 3.11, 3.12 or 3.13; run make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
