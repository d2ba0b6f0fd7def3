.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
# The machine's npm, else the one that the lock file brings.
NPM := PATH="$$PATH:$(CURDIR)/$(BIN)" npm

help:  ## what can be made here
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

setup: everything  ## a .venv with everything the other commands need

# Both look for themselves what is missing, and are silent when nothing is.
everything running: python
	@$(PYTHON) tools/setup.py $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V 2>&1). Install it, then: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }

demo: running  ## the gateway on this machine: database, broker, pages, a simulated fleet
	@exec $(BIN)/gateway demo

test: setup  ## all tests
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --durations 20
	$(BIN)/pytest -n 4 --dist load --maxschedchunk 1 --durations 20 tests/browser

check: setup  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gateway schemas --check
	$(BIN)/python tools/words.py --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	cd gateway/web && $(NPM) run --silent check && $(NPM) run --silent test

proof: setup  ## the slow proofs (minutes)
	$(BIN)/pytest tests/proof
	$(BIN)/python -m tests.given
	GATEWAY_TEST_CATALOG_RUNS=150 $(BIN)/pytest tests/integration/test_product_catalog_properties.py

fuzz: setup  ## every decoder against very many made-up messages (for every night; minutes)
	GATEWAY_TEST_FUZZ=$(or $(EXAMPLES),50000) $(BIN)/pytest tests/unit/test_decoders_take_anything.py

bench: setup  ## timings, as ratios measured in one run
	$(BIN)/python -m bench.ingest --json
	$(BIN)/python -m bench.reaction --json
	$(BIN)/python -m bench.simulator --json
	$(BIN)/python -m bench.broker --json

# Without upgrades, for a new package: make lock UPGRADE=
UPGRADE := --upgrade
COMPILE = $(BIN)/pip-compile --quiet --all-build-deps --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header pyproject.toml

lock:  ## write the lock files anew: requirements.lock, and its part that the gateway runs with
	$(COMPILE) $(UPGRADE) --extra build --extra dev --output-file requirements.lock
	cp requirements.lock requirements-run.lock
	$(COMPILE) --extra build --output-file requirements-run.lock

.PHONY: help setup everything running python demo test check proof fuzz bench lock
