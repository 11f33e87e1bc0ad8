# `make run` and `make test` do everything on a Debian machine with Rust, gcc and Python 3: set up, build, go.

SHELL := /bin/bash

# Build outputs stay outside of the clone, so that the next clone need not compile V8's family again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/trine/target
# Clippy rides along with the one build that there is: as a wrapper it checks this workspace's crates while it compiles
# them, and what they depend on is compiled once for tests, lints and the served binary alike.
export RUSTC_WORKSPACE_WRAPPER := clippy-driver
export CLIPPY_ARGS := -Dwarnings__CLIPPY_HACKERY__

TRINE := $(CARGO_TARGET_DIR)/debug/trine
BENCH := $(CARGO_TARGET_DIR)/debug/trine-bench

.PHONY: run test soak bench bench-quick build setup fmt clean

run: setup ## serve the examples on port 9000
	@.ci/stage build cargo build --bin trine
	@$(TRINE) serve handlers-examples

test: setup ## format, lint, build, document, check other builds, test; what ships, made of the everyday binary
	@.ci/stage format cargo fmt --all --check
	@.ci/stage 'build and lint' cargo build --workspace --all-targets --profile test
	@.ci/stage documentation .ci/rustdoc
	@.ci/stage 'single engines' .ci/features
	@.ci/stage 'fuzz targets' .ci/fuzz
	@.ci/stage dependencies .ci/deny
	@.ci/stage 'small layer' .ci/ship/test-layer --everyday
	@.ci/stage tests .ci/test

# Invocations for each language.
N ?= 100000

soak: setup ## a long mixed run that looks for growth: make soak N=100000
	@TRINE_SOAK=$(N) .ci/stage soak cargo test --test it soak -- --nocapture --test-threads 1

bench: setup ## measure Trine beside everything that it is compared with, and publish: under 45 minutes
	@.ci/stage build cargo build --workspace --bins --bench latency
	@.ci/stage 'order functions' .ci/order-functions
	@.ci/stage 'install peers' $(BENCH) install
	@.ci/stage criterion cargo bench --profile dev --package trine-benches --bench latency
	@TRINE_TREE=$(TREE) .ci/stage measure $(BENCH) run
	@.ci/stage render $(BENCH) render

bench-quick: setup ## the part of it that is measured in-process: under five minutes
	@.ci/stage build cargo build --workspace --bins --bench latency
	@.ci/stage criterion cargo bench --profile dev --package trine-benches --bench latency

build: setup
	@.ci/stage build cargo build --bin trine

setup:
	@.ci/stage setup .ci/setup

fmt:
	cargo fmt --all

# What ships. PYTHON=3.13 takes another CPython than the one of `python3`.
.PHONY: layer test-layer
layer: setup ## the Lambda layer, in dist
	@.ci/stage layer .ci/ship/layer
	@$(SUMS)

test-layer: setup ## run it in a root that has a C library and nothing else, as Lambda would
	@.ci/stage build cargo build --test it
	@.ci/stage 'test layer' .ci/ship/test-layer

# Projects that deploy functions.
.PHONY: test-deploy
test-deploy: setup ## check them with the tools that deploy them; then break them and see that it is noticed
	@.ci/stage build cargo build --bin trine
	@.ci/stage 'test deploy' .ci/ship/test-deploy
	@.ci/stage 'break deploy' .ci/ship/test-deploy --self-check

# The version of Python in what ships, and the folder that `make layer` leaves, of which everything else is made.
SHIPPED_PYTHON = $(shell PYTHON='$(PYTHON)' python3 .ci/ship/shipping.py)
TREE ?= $(dir $(CARGO_TARGET_DIR))ship/python$(SHIPPED_PYTHON)/tree
SUMS := cd dist && ls | grep -v SHA256SUMS | xargs sha256sum > SHA256SUMS

.PHONY: layer layer-sdk sbom dist test-dist

layer-sdk: ## a second layer with boto3 and the AWS SDK for JavaScript: make layer-sdk SDK_CLIENTS="s3 dynamodb"
	@.ci/stage 'layer with the SDKs' .ci/ship/sdk dist/trine-sdk-layer-python$(SHIPPED_PYTHON).zip
	@$(SUMS)

sbom: ## the bill of materials of what ships
	@.ci/stage 'bill of materials' .ci/ship/sbom dist/trine-sbom.cdx.json $(TREE)
	@$(SUMS)

dist: layer ## what users install: tarball, wheel, npm package, Debian package
	@for format in tarball wheel npm deb; do .ci/stage $$format .ci/ship/$$format $(TREE) dist || exit; done
	@$(SUMS)

test-dist: ## installs, uses, upgrades and removes each of them in a minimal Debian
	@.ci/stage 'test packages' .ci/ship/test-dist $(TREE) dist
	@layer=$$(ls dist/trine-sdk-layer-*.zip 2> /dev/null | head -n 1); \
	  [ -z "$$layer" ] || .ci/stage 'test layer with the SDKs' .ci/ship/test-sdk $(TREE) $$layer

.PHONY: test-clients
test-clients: build ## 'trine emulator' under AWS's own SDKs and runtime clients, 'trine serve' under those for CloudEvents and beside Scaleway's
	@.ci/stage 'test clients' .ci/test-clients $(TRINE)

.PHONY: test-brokers
# ONLY="mqtt nats" takes a part of it.
test-brokers: build ## triggers of 'trine serve' with moto for SQS, mosquitto for MQTT and nats-server for NATS
	@.ci/stage 'test brokers' .ci/test-brokers $(TRINE) $(ONLY)

.PHONY: test-console
# SHOTS=folder leaves screenshots there.
test-console: build ## the page of 'trine serve --console' in a headless Chromium
	@.ci/stage 'test console' .ci/test-console $(TRINE) $(SHOTS)

.PHONY: parity
parity: build ## AWS's own runtime clients for Node.js and Python, installed anew, beside Trine
	@.ci/stage parity .ci/parity $(TRINE)

.PHONY: web-parity
# CASES="--app asgi --only WebSocket" takes a part, CASES="--record" writes what the stock servers answer.
web-parity: build ## the same web applications under uvicorn, gunicorn, node:http and deno serve, and under Trine
	@.ci/stage 'web parity' nice .ci/web-parity $(CASES) $(TRINE)

# Other people's tests of Node and of CPython, counted. SUITE="--only http" takes a part, SUITE=--record writes what was found.
.PHONY: node-suite python-suite
node-suite: build ## what of Node's own tests passes, beside Node: about an hour
	@.ci/stage "Node's tests" nice .ci/node-suite $(SUITE) $(TRINE)

python-suite: build ## what of CPython's own tests passes, beside CPython: about an hour
	@.ci/stage "CPython's tests" nice .ci/python-suite $(SUITE) $(TRINE)

.PHONY: compat
# ONLY=pypi/databases runs a part of it.
compat: build ## packages from npm and PyPI at real work, beside stock Node.js and CPython; renders what works
	@.ci/stage compat .ci/compat $(TRINE) $(if $(ONLY),--only $(ONLY))

.PHONY: compat-web
# ONLY=django runs a part of it.
compat-web: build ## whole web applications under uvicorn, gunicorn and node and under Trine; renders what works
	@.ci/stage compat-web .ci/compat-web $(TRINE) $(if $(ONLY),--only $(ONLY))

.PHONY: test-image
test-image: ## images that 'trine package' writes, read by skopeo and run where they are unpacked
	@.ci/stage 'test images' .ci/ship/test-image $(TREE)

clean:
	cargo clean
