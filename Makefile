# Each target sets up what it needs in .venv; `make` alone lists them. Only make and python3 >= 3.11 are presumed.

.DEFAULT_GOAL := help
.PHONY: help demo shop test nightly lint fmt bench clean core dev
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The first interpreter that is new enough. Looked for only when an environment has to be made; PYTHON=... overrides it.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; break; fi; done)

help:  ## list the targets
	@echo "make demo    weeks of orders checked; then a shop on this machine, faults, and an audit  (ARGS='--seconds 120')"
	@echo "make shop    a shop of nine services on this machine, and Sagacity beside them          (ARGS='--port 9000')"
	@echo "make test    every test                                                     (ARGS='-k payment')"
	@echo "make nightly the laws on ten times the examples, and the campaigns of kills   (some hours)"
	@echo "make lint    ruff, mypy --strict, import rules"
	@echo "make fmt     format the code"
	@echo "make bench   the benchmarks, as tables                                      (ARGS='--events 1e6')"
	@echo "make clean   remove what the other targets made, the environment included"

demo: $(VENV)/.shop  ## the demonstration, under build/demo
	@$(BIN)/sagacity demo --out build/demo
	@$(BIN)/python -m shop.demo --data build/demo/shop $(ARGS)

shop: $(VENV)/.shop  ## the shop as processes, under build/local
	@$(BIN)/python -m shop.local up --sagacity $(ARGS)

test: dev  ## every test
	@$(BIN)/python -m pytest -n 2 -rs --no-fold-skipped $(ARGS)

nightly: dev  ## the laws on many more examples, and the campaigns of kills
	@SAGACITY_EFFORT=10 $(BIN)/python -m pytest -n 2 tests/property $(ARGS)
	@$(BIN)/python -m sagacity.testing.simulate --seeds 100000
	@$(BIN)/python -m tests.chaos.crashes --rounds 200
	@$(BIN)/python -m tests.chaos.crashes --rounds 200 --from kafka
	@$(BIN)/python -m tests.chaos.shop --seconds 300
	@$(BIN)/python -m bench.shop --rounds load,fire --kills 3

lint: dev  ## style, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: dev  ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.bench  ## the benchmarks
	@$(BIN)/python -m bench $(ARGS)

clean:  ## remove what was made
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

core: $(VENV)/.core
dev: $(VENV)/.dev

# What is generated for the shop is made anew when its protos have changed.
$(VENV)/.dev $(VENV)/.shop: shop/pyproject.toml shop/hatch_build.py $(wildcard shop/src/shop/contracts/proto/*.proto)

# One stamp for each extra. An environment is installed into again only when pyproject.toml has changed.
$(VENV)/.%: pyproject.toml scripts/environment.py
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or later is needed, and none was found (python3 is: $$(python3 --version 2>&1))."; \
		echo "Install one, or say where it is: make PYTHON=/path/to/python3.12"; exit 1; fi
	@$(PYTHON) scripts/environment.py $(VENV) $*
