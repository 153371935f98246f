# Everything a newcomer types. `make` alone lists it.
# Set PYTHON to choose an interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help demo run test lint format lock clean

help: ## list what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/run ## show the whole thing on this machine: no account, no internet, under a minute
	@$(BIN)/watcher demo

run: $(VENV)/run ## watch the feeds in config/ and show alerts on this terminal
	@$(BIN)/watcher run --config config

test: $(VENV)/dev ## install what the tests need and run all of them
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/dev ## write the lock files anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	  --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header \
	  --constraint requirements.lock --extra build --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove what make made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "watcher needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V); the first time takes a minute."
	@$(PYTHON) -m venv $(VENV)

# The lock pins pip and the build backend too, so that the same files install the same way everywhere.
$(VENV)/run: $(VENV)/bin/python requirements.lock pyproject.toml
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run
