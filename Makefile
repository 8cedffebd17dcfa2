# `make help` lists everything. Two commands a newcomer needs: `make preview` and `make test`.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

STACK ?= dev
PYTHON ?= python3
BIN := .venv/bin
PULUMI_VERSION := 3.259.0

.PHONY: help
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/.base: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=... names another one"; exit 1; }
	@echo "Creating .venv (once)"
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
	  2> .venv/install.log || { cat .venv/install.log; exit 1; }
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.base
	@echo "Adding what the tests need (once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.cluster: requirements/cluster.txt .venv/.dev
	@echo "Adding what the cluster tests need (once, 100 MB)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cluster.txt
	@touch $@

.PHONY: preview
preview: .venv/.base ## Show everything that a stack becomes, without engine, cluster or cloud (STACK=dev)
	@$(BIN)/egress preview $(STACK)

.PHONY: test
test: .venv/.dev ## Run the tests
	@$(BIN)/pytest -n auto $(ARGS)

.PHONY: test-cluster
test-cluster: toolchains ## Run the tests that start a whole cluster (Linux, root, Go; half an hour once, then minutes)
	@$(BIN)/pytest tests/cluster --cluster $(ARGS)

.PHONY: check
check: .venv/.dev ## Run the linters, the type checker and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/check-jsonschema --schemafile stacks/settings.schema.json stacks/Pulumi.*.yaml
	$(BIN)/check-jsonschema --schemafile policy/approvals/approvals.schema.json policy/approvals/*.yaml

.PHONY: generate
generate: .venv/.dev ## Write the generated files anew: schemas, reference pages, goldens
	@$(BIN)/python -m cli.generate
	@$(BIN)/python -m tests.golden
	@$(BIN)/python -m tests.cluster.proofs

.PHONY: bench
bench: .venv/.base ## Measure preview time and memory, as ratios
	@$(BIN)/python -m bench

.PHONY: bench-mesh
bench-mesh: toolchains ## Measure our mesh objects and Istio's recipe on one cluster (as test-cluster; ten minutes)
	@$(BIN)/python -m bench.mesh $(ARGS)

.PHONY: toolchains
toolchains: .venv/.cluster ## Install and build the programs that some tests run: Envoy, Istio, Kubernetes (needs Go; once)
	@$(BIN)/python -m tests.cluster.toolchains

.PHONY: mutation
mutation: .venv/.dev ## Change classifier and rules a little, thousands of times, and see whether a test fails (minutes)
	@$(BIN)/python -m tests.mutation $(ARGS)

.PHONY: engine
engine: .venv/.base ## Get the pinned Pulumi CLI from its publisher into .pulumi, checksum verified
	@$(BIN)/python -m cli.engine $(PULUMI_VERSION) .pulumi

.PHONY: lock
lock: .venv/.dev ## Write requirements/*.txt anew from the *.in files
	@for set in base dev cluster; do CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --allow-unsafe --strip-extras -o requirements/$$set.txt requirements/$$set.in || exit 1; done

.PHONY: clean
clean: ## Remove what was installed and cached here
	@rm -rf .venv .pulumi .pytest_cache .ruff_cache .hypothesis .import_linter_cache build mutants *.egg-info
