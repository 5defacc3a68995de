# Linux, Python 3.11 to 3.13 and make are all it needs: no root, no container, no server, no Node.
# `make help` prints every target with its sentence.
.DEFAULT_GOAL := help
.PHONY: help run test check bench soak lock clean
export PYTHONUTF8 := 1
PY := .venv/bin/python

help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "PYTHON=…  another interpreter (3.11 to 3.13)      ONCE=1  make run: stop after the table"

run: ## Set up, carry the sample of the five provinces to its end, and stay up at the printed address.
	@scripts/set_up.sh run
	@$(PY) -m handlers.first_run

test: ## Set up and run every test but the slow ones; needs nothing else installed.
	@scripts/set_up.sh test
	@$(PY) scripts/check.py test

check: ## What CI runs: format, lint, types, licences, then make test, then the crash tests.
	@scripts/set_up.sh test
	@$(PY) scripts/check.py all

bench: ## Measure transitions, timers and notices against their floors and print both.
	@scripts/set_up.sh test
	@$(PY) -m tests.bench

soak: ## Run the slow groups: long random walks, and kills on both stores for MINUTES=60.
	@scripts/set_up.sh test
	@MINUTES=$(or $(MINUTES),60) $(PY) scripts/check.py soak

lock: ## Write config/locks/ anew from pyproject.toml (UPGRADE=1: with the newest versions).
	@scripts/set_up.sh test
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove .venv and what tools left behind; the data in var/ stays.
	@rm -rf .venv build tiendo.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
