# The project's commands; `make help` lists them.
# Needed on the machine: python3 (3.11 or newer) with venv and pip, git, make. Nothing is installed outside .venv.

PYTHON ?= python3
FOCUS_PYTHON ?= python3.12
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST ?= $(BIN)/python -m pytest
PYTEST_ARGS ?= -n 4 --dist worksteal
CHECK_ARGS ?= -n 3 --dist worksteal
FAST_TESTS := tests/test_*.py tests/domain tests/adapters tests/simulator

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy UV_NO_PROGRESS=1 $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --no-annotate --python-version
UPGRADE ?=

# There is one environment. Once it has the development tools, it is always installed from their lock.
LOCK = $(if $(wildcard $(VENV)/.dev),requirements-dev.lock,requirements.lock)

# Dozens of processes import the product here. Compiled once and kept, it takes half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test pytest check fast lint fuzz wheel bench messages pictures docs focus lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

install: $(VENV)/.runtime ## Install Tocsin into .venv; the command is .venv/bin/tocsin

run: install ## Start everything (database, API, worker); options: make run ARGS="..."
	@exec $(BIN)/tocsin up $(ARGS)

test: $(VENV)/.dev ## Every check and every test; options: make test PYTEST_ARGS="-x -k budget"
	@$(MAKE) --no-print-directory -j 3 lint docs pytest

# Beside the checks: their types take half a minute of one core, in which tests wait for databases.
pytest: $(VENV)/.dev
	$(PYTEST) $(PYTEST_ARGS)

check: $(VENV)/.dev ## Every check and the fast tests, before a commit
	@$(MAKE) --no-print-directory -j 2 lint fast

fast: $(VENV)/.dev
	HYPOTHESIS_PROFILE=quick $(PYTEST) $(CHECK_ARGS) -m "not slow and not further and not fuzz and not wheel" --ignore tests/adapters/postgres $(wildcard $(FAST_TESTS))

fuzz: $(VENV)/.dev ## The property tests with new examples, many more of them, and more random pasts; takes minutes
	HYPOTHESIS_PROFILE=fuzz $(PYTEST) -m "" tests/domain tests/contract/test_foreign_texts.py tests/api/http/test_json_flaws.py tests/api/http/test_paths.py tests/api/test_schema.py \
		tests/adapters/postgres/spend/test_past_figures.py tests/adapters/postgres/spend/test_hour_versions.py

wheel: $(VENV)/.dev ## Build dist/*.whl, install it into an empty environment, and run `tocsin up` there
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist .
	$(PYTEST) -m wheel tests/test_wheel.py

lint: $(VENV)/.dev ## Style, types, the rings between the packages, and dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

bench: $(VENV)/.dev ## Measure what work costs, beside what else does it: one table, in under 15 minutes
	@$(BIN)/python benchmarks/all.py $(ARGS)

messages: $(VENV)/.dev ## Write docs/messages.md: what people receive in every channel
	$(BIN)/python -m tests.contract.message_document

pictures: $(VENV)/.dev ## Draw docs/pictures from the running product; takes minutes, and needs Chromium
	$(BIN)/python -m tests.contract.page_pictures

docs: $(VENV)/.dev ## Build the documents as pages into build/docs; a link that leads nowhere is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html --conf-dir docs/site . build/docs

# The validator needs Python 3.12 and an older numpy than the product, so that it has an environment of its own.
FOCUS := .focus
focus: $(VENV)/.dev ## Ask the FinOps Foundation's validator about the FOCUS export; needs Python 3.12 as FOCUS_PYTHON
	@test -d $(FOCUS) || $(FOCUS_PYTHON) -m venv $(FOCUS)
	@$(UV) pip install --quiet --python $(FOCUS)/bin/python --require-hashes -r requirements-focus.lock
	@mkdir -p build && $(BIN)/python -m tests.contract.focus_sample > build/focus.csv
	@cd $(FOCUS)/lib/python3.*/site-packages && $(CURDIR)/$(FOCUS)/bin/focus-validator --validate-version 1.2 --block-download \
		--data-file $(CURDIR)/build/focus.csv \
		--applicability-criteria ACCOUNT_NAMING_SUPPORTED,SUB_ACCOUNT_SUPPORTED,RESOURCE_TYPE_ASSIGNMENT_SUPPORTED,TAGGING_SUPPORTED \
		| grep -E "^(Total|.*FAIL)"

lock: $(VENV)/.runtime ## Renew the lock files from pyproject.toml; to newer versions with make lock UPGRADE=--upgrade
	$(COMPILE) 3.11 $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(COMPILE) 3.11 $(UPGRADE) pyproject.toml --extra dev --extra docs --extra mcp --extra otel --extra parquet --constraint requirements.lock --output-file requirements-dev.lock
	echo 'setuptools>=77' | $(COMPILE) 3.11 $(UPGRADE) - --output-file requirements-build.lock
	printf 'focus-validator==2.2.1\npyarrow<22\n' | $(COMPILE) 3.12 $(UPGRADE) - --output-file requirements-focus.lock
	echo uv | $(COMPILE) 3.11 $(UPGRADE) - --output-file requirements-uv.lock

clean: ## Remove .venv and every cache; the data in .tocsin stays
	rm -rf $(VENV) $(FOCUS) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements.lock requirements-build.lock requirements-uv.lock pyproject.toml | $(BIN)/python
	$(install_lock)
	@touch $@

$(VENV)/.dev: LOCK := requirements-dev.lock
$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(install_lock)
	@touch $@

# What is installed is compiled at once: else the first commands take five times as long, and all do where nothing may
# be written. uv takes seconds where pip takes half a minute. Where it cannot be had, pip installs from the same locked hashes.
define install_lock
	@echo "Installing $(LOCK) into $(VENV)"
	@$(PIP) --require-hashes -r requirements-build.lock
	@if $(PIP) --require-hashes -r requirements-uv.lock; then \
		$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCK); \
	else \
		echo "No uv here; pip takes longer."; $(PIP) --require-hashes -r $(LOCK); \
	fi
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(BIN)/python -m compileall -q service migrations
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tocsin needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
		echo "Name a newer one, for example: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Install your system's python3-venv package."; exit 1; }
