# One word for each thing a person does here; `make help` lists them.
# Everything that is made or started lives in .venv and .dev, which git ignores.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TEST_ARGS ?=
DEMO_ARGS ?=
RUN_ARGS ?=
BENCH_ARGS ?=
CRASH_ARGS ?=
TRAIN_ARGS ?=

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: install
install: ## make .venv from requirements.lock (every other target does it when needed)
	@scripts/bootstrap

.PHONY: services
services: install ## start Kafka, PostgreSQL, Dovecot, the mail sink and Chromium, whichever can be had
	@scripts/services up

.PHONY: demo
demo: install ## play sample complaints and open the pages (DEMO_ARGS=--once ends by itself)
	@if scripts/services start kafka; then
	  eval "$$(scripts/services env)"
	  export INTAKE_KAFKA__BOOTSTRAP_SERVERS=$$DEV_KAFKA_BOOTSTRAP
	  echo "demo: with the real Kafka at $$DEV_KAFKA_BOOTSTRAP"
	else
	  echo "demo: embedded, without Kafka"
	fi
	exec .venv/bin/intake demo $(DEMO_ARGS)

.PHONY: run
run: install ## the service, with intake.toml or INTAKE_ variables (RUN_ARGS="--config FILE")
	@exec .venv/bin/intake run $(RUN_ARGS)

.PHONY: test
test: install ## all tests, on real servers where they can be had (TEST_ARGS="-k name")
	@scripts/asyncapi_parser
	scripts/services up
	eval "$$(scripts/services env)"
	exec .venv/bin/python -m pytest $(TEST_ARGS)

.PHONY: check
check: install ## format, lint, types, and that generated documents are not stale
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy --strict
	.venv/bin/mypy --strict scripts/*.py
	.venv/bin/python scripts/docs.py --check

.PHONY: fmt
fmt: install ## format the code and mend what ruff can mend
	@.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: docs
docs: install ## write everything that is generated: settings, schemas, AsyncAPI, command line
	@.venv/bin/python scripts/docs.py

.PHONY: bench
bench: install ## run the benchmarks (BENCH_ARGS=...)
	@scripts/services up
	eval "$$(scripts/services env)"
	exec .venv/bin/python benchmarks/run.py $(BENCH_ARGS)

.PHONY: bench-full
bench-full: install ## the benchmarks with what takes long: 100,000 messages, 1,000,000 stored cases (BENCH_ARGS=...)
	@scripts/services up
	eval "$$(scripts/services env)"
	exec .venv/bin/python benchmarks/run.py --full $(BENCH_ARGS)

.PHONY: crash
crash: install ## kill the service 1,500 times under load and read the books (CRASH_ARGS="--kills 100")
	@scripts/services up
	eval "$$(scripts/services env)"
	exec .venv/bin/python -m tests.crash $(CRASH_ARGS)

.PHONY: train
train: install ## train triage and sameness and write docs/training.md (TRAIN_ARGS=--with-corrections=FILE)
	@.venv/bin/python scripts/train.py $(TRAIN_ARGS)
	.venv/bin/python scripts/train_pairs.py

.PHONY: lock
lock: ## resolve pyproject.toml anew: requirements.lock (all), deploy/requirements.lock (what the image installs)
	@scripts/lock

.PHONY: down
down: ## stop the servers started here, keep their data
	@scripts/services down

.PHONY: clean
clean: ## stop the servers and remove .venv, .dev and all caches
	@scripts/services clean "$${DEV_SERVICES_DIR:-.dev/services}"
	rm -rf .venv .dev .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
