.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.installed
# The machine's npm, else the one that the lock file brings.
NPM := PATH="$$PATH:$(CURDIR)/$(BIN)" npm

# Much of a test's time is waiting. The longest files stand first in the alphabet.
WORKERS := -n 4 --durations 20

help:  ## what can be made here
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

WEB := $(shell find gateway/web -name node_modules -prune -o -name dist -prune -o -type f -print)

$(STAMP): requirements.lock pyproject.toml $(WEB)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V 2>&1). Install it, then: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the lock file names (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP)  ## a .venv with everything the other commands need

demo: setup  ## the gateway on this machine: database, broker, pages, a simulated fleet
	@exec $(BIN)/gateway demo

test: setup  ## all tests
	@tests/tools.sh
	$(BIN)/pytest $(WORKERS) --dist loadfile --no-loadscope-reorder tests/acceptance tests/integration tests/unit
	$(BIN)/pytest $(WORKERS) --dist loadgroup tests/browser

check: setup  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gateway schemas --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@test -d gateway/web/node_modules || (cd gateway/web && $(NPM) ci --no-audit --no-fund --loglevel=error)
	cd gateway/web && $(NPM) run --silent check && $(NPM) run --silent test

proof: setup  ## the slow proofs (minutes)
	@tests/tools.sh
	$(BIN)/pytest tests/proof
	$(BIN)/python -m tests.given
	GATEWAY_TEST_CATALOG_RUNS=150 $(BIN)/pytest tests/integration/test_product_catalog_properties.py

fuzz: setup  ## every decoder against very many made-up messages (for every night; minutes)
	GATEWAY_TEST_FUZZ=$(or $(EXAMPLES),50000) $(BIN)/pytest tests/unit/test_decoders_take_anything.py

bench: setup  ## timings, as ratios measured in one run
	@tests/tools.sh
	$(BIN)/python -m bench.ingest --json
	$(BIN)/python -m bench.reaction --json
	$(BIN)/python -m bench.simulator --json
	$(BIN)/python -m bench.broker --json

lock:  ## write requirements.lock anew
	$(BIN)/pip-compile --quiet --upgrade --extra dev --all-build-deps --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --output-file requirements.lock pyproject.toml

.PHONY: help setup demo test check proof fuzz bench lock
