# The whole life of a clone: run, stop, test, check. `make help` lists the targets.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The first Python of a version that Ray has wheels for.
PYTHON ?= $(shell for p in python3 python3.12 python3.13 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$p" && break; done)
OPTIONS ?=
# Of the service: make run PORT=7272
PORT ?=
# All but `nautilus`, which pins an fsspec that no current s3fs goes with: its one test skips without it, and
# `make test-nautilus` runs it.
TESTED_EXTRAS := $(addprefix --extra ,embedded s3 build test check audit docs release)
# Folders that are distributions of their own.
LIBRARIES := optionchain optionchain_client
# Tests run beside each other: much of their time is spent waiting for processes to start.
WORKERS ?= 2

# Install a lock file, and tell every few packages how far it is. Of what pip says, only errors are shown besides.
define install
{ $(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r $(1) 2>&1; echo "exit $$?"; } \
	| awk -v all="$$(grep -c '==' $(1))" '/^Collecting/ { if (++n % 10 == 0) { print "  " n " of " all " packages: " $$2; fflush() } } \
		/^Installing collected/ { print "  unpacking them ..."; fflush() } \
		/^(ERROR|error|  *ERROR)/ { print } /^exit / { code = $$2 } END { exit code }'
endef

.DEFAULT_GOAL := help
.PHONY: help port run stop test test-all test-kubernetes test-nautilus observing-tools compose-plugin mutants check audit coverage docs build format lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

run: port $(VENV)/.run ## Install, start everything, step a first session and say how to go on (PORT=7272: there)
	@$(BIN)/optionchain up --demo $(if $(PORT),--port $(PORT)) $(OPTIONS)

# Before minutes of installation are spent on it. What runs already has been told of by a file.
port: | $(BIN)/pip
	@[ -e $(VENV)/.run ] || [ -e .optionchain/instance.json ] || $(BIN)/python -c 'import socket, sys; \
		probe = socket.socket(); probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); \
		probe.bind(("127.0.0.1", int(sys.argv[1])))' $(or $(PORT),$(OCS_HTTP_PORT),$(OCS_PORT),7070) 2>/dev/null \
		|| { echo "Port $(or $(PORT),$(OCS_HTTP_PORT),$(OCS_PORT),7070) is in use by another program: make run PORT=7272 takes another one." >&2; exit 1; }

stop: ## Stop everything that `make run` started; data stays
	@if [ -x $(BIN)/optionchain ]; then $(BIN)/optionchain down; else echo "Nothing was ever started here."; fi

test: $(VENV)/.test ## Install what tests need and run all tests (some: make test OPTIONS="-k session")
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(OPTIONS)

test-all: ## Run all tests, and those that take minutes of arithmetic
	@$(MAKE) --no-print-directory test OPTIONS="--long $(OPTIONS)"

# The control plane is built once, outside the clone.
test-kubernetes: $(VENV)/.test ## Build a real Kubernetes with KubeRay (20 minutes, once), and test the manifests on it, as root
	@tests/controlplane/build.sh
	@$(BIN)/python -m pytest --long tests/controlplane $(OPTIONS)

# Beside the environment, whose fsspec and uvloop are later ones.
test-nautilus: $(VENV)/.test ## Read what is exported for nautilus_trader by the package itself (100 MB)
	@$(BIN)/python -m pip install --quiet --no-deps --upgrade --target build/nautilus \
		"nautilus_trader>=1.221,<1.222" "fsspec>=2025.2,<2026" "uvloop==0.22.1" portion sortedcontainers tqdm
	@PYTHONPATH=build/nautilus $(BIN)/python -c "import nautilus_trader.persistence.catalog"
	@PYTHONPATH=build/nautilus $(BIN)/python -m pytest tests/unit/history/test_chain_exports.py -k nautilus $(OPTIONS)

observing-tools: ## Build an OpenTelemetry Collector and Jaeger (with Go, 20 minutes, once) for the tests that run them
	@tests/integration/monitoring/built/build.sh

compose-plugin: ## Build Docker Compose (with Go, 4 minutes, once) for the test that starts docker-compose.yml
	@tests/integration/project/built/build.sh

check: $(VENV)/.test ## Format, lint, types, import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

coverage: $(VENV)/.test ## Say what the unit tests do not reach; the lines are in coverage/index.html
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--cov --cov-report=html:coverage --cov-report=term $(or $(OPTIONS),tests/unit)

mutants: $(VENV)/.test ## Say which mistakes in a file no test notices: make mutants FILE=optionchain/session.py TESTS=tests/unit/test_session.py
	@$(BIN)/python -m proving.mutants $(FILE) $(foreach test,$(or $(TESTS),tests/unit),--tests $(test)) $(OPTIONS)

audit: $(VENV)/.test ## Look for vulnerabilities, unsafe code, secrets and licences, and list what is installed in build/sbom.json
	@$(BIN)/python .ci/audit.py $(OPTIONS)

docs: $(VENV)/.test ## Build the documentation site in build/site; a link that leads nowhere is an error
	@$(BIN)/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet --builder html docs build/site
	@echo "The site: build/site/index.html"

build: $(VENV)/.test ## Build and check the wheels and source distributions: library, client, service; in dist/
	@rm -rf dist
	@for folder in $(LIBRARIES) .; do $(BIN)/python -m build --no-isolation --outdir dist $$folder || exit 1; done
	@$(BIN)/python -m twine check --strict dist/*
	@for folder in $(LIBRARIES); do \
		$(BIN)/check-wheel-contents --config $$folder/pyproject.toml --package $$folder dist/$$folder-*.whl || exit 1; done
	@$(BIN)/check-wheel-contents dist/optionchain_simulator-*.whl

format: $(VENV)/.test ## Generate the synchronous client, format the code and apply safe fixes
	@$(BIN)/python -P optionchain_client/make_synchronous.py
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(VENV)/.test ## Resolve the dependencies anew
	@$(BIN)/pip install --quiet uv
	@for lock in "requirements-test.lock $(TESTED_EXTRAS)" \
		"requirements.lock --extra embedded --extra s3 --extra build --constraint requirements-test.lock"; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-annotate \
			--no-header --prerelease if-necessary-or-explicit pyproject.toml --output-file $$lock || exit 1; done

clean: stop ## Stop, and remove the virtual environment; data stays
	@rm -rf $(VENV)

$(BIN)/pip:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11, 3.12 or 3.13 is needed: install one, or name it: make run PYTHON=/path/to/python" >&2; exit 1; fi
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "This Python cannot make virtual environments: on Debian and Ubuntu, install python3-venv." >&2; exit 1; }

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/pip
	@echo "Installing the locked dependencies (a minute or two the first time) ..."
	@$(call install,requirements.lock)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m optionchain.numerics
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	@echo "Installing what tests need ..."
	@$(call install,requirements-test.lock)
	@touch $@
