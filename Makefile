VENV ?= .venv
PYTHON ?= python3
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

.PHONY: run test test-fast coverage check format install benchmarks peers docs snapshots screenshot clean

run: $(STAMP)
	$(BIN)/tui-latent

# Two workers: many tests wait for a screen or a process. Without `-n` they run in one.
test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# What a change is tried with many times an hour: no training of minutes, no process that is killed.
test-fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow"

coverage: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q --cov --cov-report=term

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(STAMP)

# Exact versions that the tests passed with; drop `-c constraints.txt` to take the newest.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The README's table of keys, from tui_latent/tui/keymap.py.
docs: $(STAMP)
	$(BIN)/python -m tui_latent.tui.key_table README.md

snapshots: $(STAMP)
	$(BIN)/python -m pytest tests/tui --snapshot-update

screenshot: $(STAMP)
	$(BIN)/python -m benchmarks.screenshot

# What the benchmarks compare with, in an environment of its own that sees this one's packages.
PEERS ?= .peers
SITE := import sysconfig; print(sysconfig.get_path("purelib"))
peers: $(STAMP)
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python -c '$(SITE)' > "$$($(PEERS)/bin/python -c '$(SITE)')/tui-latent.pth"
	$(PEERS)/bin/python -m pip install --quiet -r benchmarks/requirements.txt

# About 20 minutes; MNIST must be in $$TUI_LATENT_DATA or may be downloaded.
benchmarks: $(STAMP)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.screen

clean:
	rm -rf $(VENV) $(PEERS) dist build
