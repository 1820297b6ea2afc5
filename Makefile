VENV ?= .venv
PYTHON ?= python3
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
# The gate adds the optional packages. Without them, their tests are skipped and say so.
EXTRAS ?= dev
ALL_EXTRAS := dev,lightly,lightning,open-clip,optuna,parquet,ray,slurm,tiff,timm,transformers

.PHONY: run test test-fast soak coverage check format install install-all benchmarks docs peers snapshots screenshot clean

run: $(STAMP)
	$(BIN)/tui-latent

# Two workers, because many tests wait for a screen or a process.
test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# For every change: leaves out the slow tests, such as those that train or drive a whole screen.
test-fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow"

# Kills, damage, full disks and long runs, for hours. One of them: `python -m tests.soak kill`.
soak: $(STAMP)
	$(BIN)/python -m tests.soak

coverage: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q --cov --cov-report=term

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(STAMP)

install-all:
	$(MAKE) install EXTRAS=$(ALL_EXTRAS)

# The exact versions that the tests passed with. Drop `-c constraints.txt` to take the newest.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The generated parts of the documents: tables of keys, and of measurements.
docs: $(STAMP)
	$(BIN)/python -m tui_latent.tui.key_table README.md docs/KEYS.md
	$(BIN)/python -m benchmarks.tables
	$(BIN)/python -m experiments.tables
	$(BIN)/python -m tests.soak.table

snapshots: $(STAMP)
	$(BIN)/python -m pytest tests/tui --snapshot-update

screenshot: $(STAMP)
	$(BIN)/python -m benchmarks.screenshot

# The packages that the benchmarks compare with, in a second environment that sees the first one.
PEERS ?= .peers
SITE := import sysconfig; print(sysconfig.get_path("purelib"))
peers: $(STAMP)
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python -c '$(SITE)' > "$$($(PEERS)/bin/python -c '$(SITE)')/tui-latent.pth"
	$(PEERS)/bin/python -m pip install --quiet -r benchmarks/requirements.txt

# About 20 minutes. Uses MNIST from $$TUI_LATENT_DATA, or downloads it.
benchmarks: $(STAMP)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m experiments.quality
	$(BIN)/python -m benchmarks.screen

clean:
	rm -rf $(VENV) $(PEERS) dist build
