# Every command a contributor or CI needs. `make demo` and `make test` work from a fresh clone with Python 3.11+ alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
SOURCES := control_plane ext_proc process_log protos demos benchmarks tests

.PHONY: sync demo patterns test check fmt lint types imports generated golden protos docs subjects bench chaos fuzz digests locks sbom clean

sync: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,semantic]'
	touch $@

demo: sync
	$(BIN)/python -m demos.travel_booking

patterns: sync
	$(BIN)/python -m demos.patterns

test: sync
	$(BIN)/python -m pytest

# Property tests with many examples that no run has tried before.
fuzz: sync
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m hypothesis --timeout 1800

check: fmt-check lint types imports generated test

fmt: sync
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

.PHONY: fmt-check
fmt-check: sync
	$(BIN)/ruff format --check $(SOURCES)

lint: sync
	$(BIN)/ruff check $(SOURCES)

types: sync
	$(BIN)/mypy

imports: sync
	$(BIN)/lint-imports

# Files that are made from others: fails when one is stale.
generated: sync
	$(BIN)/python -m tests.kit.generated --check

# The vectors of the subjects, as the embedder's model sees them.
subjects: sync
	$(BIN)/python -m ext_proc.embedder.subjects

docs: sync
	$(BIN)/python -m tests.kit.generated --write

golden: sync
	$(BIN)/python -m pytest tests/golden --update-golden -p no:randomly

protos: sync
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. protos/*.proto
	$(BIN)/python -m grpc_tools.protoc -I. --grpc_python_out=. protos/ext_proc.proto protos/discovery.proto

# Pins the images that the containers are built from, as their tags stand today: needs docker and a network.
IMAGES := PYTHON_IMAGE=python:3.12.12-slim-bookworm ENVOY_IMAGE=envoyproxy/envoy:v1.40.2 PROMETHEUS_IMAGE=prom/prometheus:v3.5.0 \
	GRAFANA_IMAGE=grafana/grafana:12.1.0 JAEGER_IMAGE=jaegertracing/jaeger:2.6.0

digests:
	for pair in $(IMAGES); do \
		digest=$$(docker buildx imagetools inspect "$${pair#*=}" --format '{{.Manifest.Digest}}') || exit 1; \
		echo "$$pair@$$digest"; \
	done > deploy/images.env

# What images install, with hashes: after each change of constraints.txt. Needs a package index; its address is in no file.
TOOLS := build/tools
LOCK := $(TOOLS)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --all-build-deps --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --constraint constraints.txt

$(TOOLS):
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet pip-tools==7.6.2 cyclonedx-bom==7.5.0

locks: $(TOOLS)
	$(LOCK) --extra semantic --output-file deploy/requirements-product.txt pyproject.toml
	$(LOCK) --extra demo --output-file deploy/requirements-demo.txt pyproject.toml

# What the product's image is made of, as CycloneDX.
sbom: $(TOOLS)
	$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file build/sbom.cdx.json \
		deploy/requirements-product.txt

bench: sync
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.translation

chaos: sync
	$(BIN)/python -m tests.chaos --seconds 300 --rate 50

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
