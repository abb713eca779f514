# roomctl. Two commands: `make run` (a live demo network) and `make test` (everything that is checked).
PORT ?= 7880
MEDIA ?= 127.0.0.1
PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PY := .venv/bin/python
STAMPS := .build
export CARGO_TERM_COLOR ?= auto

.PHONY: help run sign-in test bench screenshots matrix build lint test-rust test-python test-web clean

help:
	@echo "make run          a demo network with live rooms on http://127.0.0.1:$(PORT)  (PORT=… for another port;"
	@echo "              MEDIA=an address of this machine, for Firefox, which sends no media to 127.0.0.1)"
	@echo "make sign-in      another one-time link to the demo's dashboard"
	@echo "make test         every check and test"
	@echo "make bench        cost per forwarded packet, time to first frame, poor links, cost of devices"
	@echo "make screenshots  pictures of every page in .build/screenshots, those of the README in docs/images (9 min)"
	@echo "make matrix       the table of drivers and faults in docs/devices.md"
	@echo "make clean        remove what was built"

run: build
	@exec $(PY) -m demo --port $(PORT) --media $(MEDIA)

sign-in: build
	@$(PY) -m signaling sign-in --config data/demo-$(PORT)/signaling.toml

build: $(STAMPS)/python $(STAMPS)/relay $(STAMPS)/web

# --- set-up: each step leaves a stamp and is done again when what it depends on changes -----------------------------

$(STAMPS)/system-run: setup/system.sh
	@mkdir -p $(STAMPS)
	@setup/system.sh run
	@touch $@

$(STAMPS)/system-test: setup/system.sh
	@mkdir -p $(STAMPS)
	@setup/system.sh test
	@touch $@

$(STAMPS)/python: requirements.lock pyproject.toml | $(STAMPS)/system-run
	@echo "[1/3] Python packages"
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==$$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
	@.venv/bin/uv pip sync --quiet --python $(PY) requirements.lock
	@.venv/bin/uv pip install --quiet --python $(PY) --no-deps --editable .
	@touch $@

RELAY_SOURCES := $(shell find relay -name '*.rs' -not -path '*/target/*') $(wildcard relay/*.toml relay/*/Cargo.toml) relay/Cargo.lock
$(STAMPS)/relay: $(RELAY_SOURCES) | $(STAMPS)/system-run
	@echo "[2/3] Media relay (Rust; about 2 minutes the first time)"
	@cargo build --release --locked --manifest-path relay/Cargo.toml -p relay-python
	@cp relay/target/release/lib_relay.so relay/_relay.abi3.so.new && mv relay/_relay.abi3.so.new relay/_relay.abi3.so
	@touch $@

WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -name '*.pyc')
$(STAMPS)/node: web/package-lock.json | $(STAMPS)/system-run
	@echo "[3/3] Pages"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/web: $(STAMPS)/node $(WEB_SOURCES) $(STAMPS)/python
	@cd web && npm run --silent build
	@touch $@

# --- checks ----------------------------------------------------------------------------------------------------------

test: $(STAMPS)/system-test build lint test-rust test-web test-python
	@echo "All checks passed."

lint: build
	@$(PY) -m ruff format --check . && $(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

test-rust: $(STAMPS)/relay
	@cargo fmt --manifest-path relay/Cargo.toml --all -- --check
	@cargo clippy --locked --manifest-path relay/Cargo.toml --workspace --all-targets -- -D warnings
	@cargo test --locked --quiet --manifest-path relay/Cargo.toml --workspace

test-web: $(STAMPS)/web
	@cd web && npm run --silent check

test-python: build $(STAMPS)/system-test
	@$(PY) -m tests

bench: build $(STAMPS)/system-test
	@$(PY) -m bench

screenshots: build $(STAMPS)/system-test
	@$(PY) -m demo.screenshots

matrix: build
	@$(PY) -m tests.devices.matrix

clean:
	rm -rf .build .venv web/node_modules web/dist relay/target relay/*.so
