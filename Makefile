# Everything a person types; `make help` lists it.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# The quickest CPython 3.11 to 3.13 on the path that can make an environment. Version managers may have built theirs without
# profile-guided optimisation, which is a third slower, and a shim may stand for a version that is not there: so each is tried.
PROBE := import ensurepip, sqlite3, ssl, sys, time, venv; began = time.perf_counter(); \
	sum(len(str(number)) for number in range(300_000)); took = time.perf_counter() - began; \
	print(round(took, 3), sys.executable) if (3, 11) <= sys.version_info[:2] <= (3, 13) else None
PYTHON ?= $(shell IFS=:; for d in $$PATH; do for p in python3.13 python3.12 python3.11 python3 python; do \
	test -x "$$d/$$p" && "$$d/$$p" -c '$(PROBE)' 2>/dev/null; done; done | sort -n | head -n 1 | cut -d ' ' -f 2-)
export UV_COMPILE_BYTECODE := 1
DEMO ?=
PYTEST ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-long test-slow test-kill lint docs bench lock screenshots clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed ## create the virtual environment with the locked dependencies

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { python="$(PYTHON)"; test -n "$$python" || { \
		echo "No CPython 3.11, 3.12 or 3.13 that can make an environment was found." \
		"Install one (on Debian with python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 2; }; \
		echo "Making $(VENV) with $$python ..."; "$$python" -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/uv pip install --quiet --no-config --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --no-config --python $(BIN)/python --no-deps -e .
	@$(BIN)/python -m compileall -q retreasure_assets
	@touch $@

demo: setup ## pull from the sandbox, build bronze to gold, show the result (DEMO="--days 30" for another world)
	@$(BIN)/retreasure demo $(DEMO)

up: setup ## serve the Dagster UI with schedules and sensors, and the documentation, until Ctrl-C
	@$(BIN)/retreasure up

test: setup lint ## run the checks and tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not long" $(PYTEST)

test-long: setup ## run the tests that take most of a minute each; CI does
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "long and not slow" $(PYTEST)

test-slow: setup ## run the tests that take minutes
	@$(BIN)/python -m pytest -m slow $(PYTEST)

test-kill: setup ## kill runs at a hundred random moments, and see that the next one makes all right
	@$(BIN)/python -m pytest -m slow tests/end_to_end/test_kill.py $(PYTEST)

lint: setup ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup ## measure, beside baselines of the same run
	@$(BIN)/python -m benchmarks

docs: setup ## build the documentation of every table (one page, served by `make up`) and docs/metrics.md
	@$(BIN)/retreasure docs --glossary docs/metrics.md

screenshots: setup ## draw the README's picture of the asset graph from the real UI (needs Chromium)
	@$(BIN)/python docs/screenshots.py

lock: setup ## resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-emit-index-url --no-header --quiet -o requirements.lock

clean: ## remove the virtual environment and all local state
	@rm -rf $(VENV) .retreasure dbt_project/target dbt_project/logs
