# Every target installs what it needs and says what it does. GNU make 3.81 or later, any POSIX shell.
SHELL := /bin/sh
CARGO ?= cargo
# Homebrew keeps libpq out of the way of the system's; this finds it where there is no pg_config on the PATH.
export PATH := $(PATH):/opt/homebrew/opt/libpq/bin:/usr/local/opt/libpq/bin:$(HOME)/.cargo/bin
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help run test check bench db openapi clean

help: ## Say what there is
	@echo "Tenantry: make TARGET"
	@grep -hE '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed 's/:.*## /|/' | while IFS='|' read -r name what; do printf '  %-8s %s\n' "$$name" "$$what"; done

run: ## Install what is missing, build, and serve with a database of its own and a demo tenant
	@scripts/setup.sh run
	@echo "==> building (the first time takes some minutes)"
	@$(CARGO) build --release --locked --package tenantry-server
	@exec $(TARGET_DIR)/release/tenantry serve

test: ## Install what is missing, and run every test against a real PostgreSQL and a real browser
	@scripts/setup.sh test
	@$(CARGO) test --workspace --locked

check: ## All that CI checks: format, lints, docs, licences, the OpenAPI document, tests
	@scripts/setup.sh test
	@echo "==> format"
	@$(CARGO) fmt --all --check
	@echo "==> lints"
	@$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	@echo "==> documentation"
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet --document-private-items
	@echo "==> licences, sources and advisories of the dependencies"
	@scripts/deny.sh
	@echo "==> the OpenAPI document"
	@$(CARGO) run --quiet --locked --package tenantry-server -- openapi | diff -u openapi.yaml - || { echo "openapi.yaml is out of date: make openapi"; exit 1; }
	@echo "==> tests"
	@$(MAKE) --no-print-directory test

bench: ## Measure the look-up against a bare answer and against pgbench, in one run
	@scripts/setup.sh run
	@$(CARGO) run --release --locked --quiet --package tenantry-tests --bin bench

db: ## Run an empty, migrated PostgreSQL for experiments until Ctrl-C, and print how to reach it
	@scripts/setup.sh run
	@$(CARGO) run --quiet --locked --package tenantry-tests --bin test-database

openapi: ## Write openapi.yaml anew from the code
	@$(CARGO) run --quiet --locked --package tenantry-server -- openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

clean: ## Remove what was built; the data of `make run` stays
	@$(CARGO) clean
