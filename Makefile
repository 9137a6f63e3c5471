# Everything sets itself up: a virtual environment with pinned torch, then the package in it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow test-all test-oldest lint docs setup clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	$(BIN)/python -m hardwire.workflow.warmup & kernels=$$!; \
	for tool in yosys nextpnr-ice40 nextpnr-ecp5; do $(BIN)/yowasp-$$tool --version >/dev/null || exit 1; done && \
	wait $$kernels  # these compile themselves on first use: a minute or two, side by side
	touch $@

demo: setup
	$(BIN)/hardwire demo --out demo-out

test: setup
	$(BIN)/python -m pytest -n auto --dist worksteal

test-slow: setup
	$(BIN)/python -m pytest -m slow -n auto --dist worksteal

# The slow tests with all of their mutated inputs (10,000 a reader) and planted faults (200 each): hours.
test-all: setup
	HARDWIRE_TESTS=all $(BIN)/python -m pytest -m slow -n auto --dist worksteal

lint: setup
	$(BIN)/ruff check src tests examples benchmarks docs
	$(BIN)/mypy

# A fast part of the suite with the oldest versions; what old packages use of new ones that deprecate it is theirs to mend.
OLDEST := tests/core tests/runs tests/circuit tests/passes tests/data tests/logic/network tests/logic/test_lowering.py

test-oldest: .venv-oldest/.ready
	NUMBA_CACHE_DIR=.venv-oldest/numba .venv-oldest/bin/python -m pytest -n auto -W ignore::DeprecationWarning $(OLDEST)

.venv-oldest/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check --prefer-binary -c constraints-oldest.txt -e '.[train,verify,report]' pytest pytest-xdist hypothesis
	touch $@

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:
	rm -rf .venv .venv-oldest demo-out site
