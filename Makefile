# Everything a newcomer needs; `make` alone lists it. Each target builds and reuses .venv itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
# With CPU wheels of torch: make test-llm PIP_FLAGS='--extra-index-url https://download.pytorch.org/whl/cpu'
PIP_FLAGS ?=

.PHONY: help run test test-llm faults check docs format bench gpu-check clean test-cluster saturation paper-size archive-size

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(VENV)/.core: pyproject.toml
ifdef UV
	test -x $(BIN)/python || uv venv --quiet --python '>=3.11' $(VENV)
	uv pip install --quiet --python $(BIN)/python -e .
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "soar-tui needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
endif
	touch $@

$(VENV)/.dev: $(VENV)/.core
ifdef UV
	uv pip install --quiet --python $(BIN)/python -e '.[dev]'
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
endif
	touch $@

run: $(VENV)/.core ## search the sample tasks with the embedded policy
	$(BIN)/soar-tui run --tasks sample --preset demo --app

test: $(VENV)/.dev ## all tests (under ten minutes on two cores)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

# An environment of its own: its torch must not come into the one the engine runs in.
$(VENV)-llm/.ready:
	test -x $(VENV)-llm/bin/python || $(PYTHON) -m venv $(VENV)-llm
	$(VENV)-llm/bin/python -m pip install --quiet --disable-pip-version-check --no-compile $(PIP_FLAGS) \
	  torch==2.13.0 transformers==5.23.0 peft==0.21.2 trl==1.16.0 datasets==5.2.0 \
	  accelerate==1.15.0 gguf==0.19.0 'xllamacpp>=2026.10'
	touch $@

test-llm: $(VENV)/.dev $(VENV)-llm/.ready ## a real small model searched with, tuned and served again
	$(BIN)/python -m engine.policies.llm.models smollm2-135m
	SOAR_LLM_PYTHON=$(CURDIR)/$(VENV)-llm/bin/python OMP_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -s tests/learning/trainers/test_circle.py

# Ray's packages would weigh on every other environment.
$(VENV)-cluster/.ready: pyproject.toml
	test -x $(VENV)-cluster/bin/python || $(PYTHON) -m venv $(VENV)-cluster
	$(VENV)-cluster/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,cluster]'
	touch $@

test-cluster: $(VENV)-cluster/.ready ## a real Ray cluster of several processes, one of them killed
	$(VENV)-cluster/bin/python -m pytest tests/cluster

SATURATION ?= --tasks 200 --rate 60 --servers 1
saturation: $(VENV)/.dev ## how busy the search keeps simulated GPU servers
	$(BIN)/python -m tests.benchmarks.saturation $(SATURATION)

PROGRAMS ?= 100000
paper-size: $(VENV)/.dev ## a run of the paper's shape; of its size with PROGRAMS=2400000
	$(BIN)/python -m tests.benchmarks.paper_size --programs $(PROGRAMS) --folder $(CURDIR)/.paper-size-$(PROGRAMS)

CANDIDATES ?= 100000
ARCHIVE = $(CURDIR)/.archive-$(CANDIDATES)
archive-size: $(VENV)/.dev ## a made archive's bytes, places and exports; large with CANDIDATES=10000000
	test -d $(ARCHIVE) || { rm -rf $(ARCHIVE).part && $(BIN)/python -m tests.benchmarks.make_archive \
	  $(ARCHIVE).part --candidates $(CANDIDATES) && mv $(ARCHIVE).part $(ARCHIVE); }
	$(BIN)/python -m tests.benchmarks.app --folder $(ARCHIVE)
	$(BIN)/python -m tests.benchmarks.exports --run $(ARCHIVE)

FAULTS ?= 200

faults: $(VENV)/.dev ## kill -9 and signals at random moments (FAULTS=200), and what they cost
	FAULTS=$(FAULTS) $(BIN)/python -m tests.faults

check: $(VENV)/.dev ## formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

$(VENV)/.docs: $(VENV)/.core
ifdef UV
	uv pip install --quiet --python $(BIN)/python -e '.[docs]'
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
endif
	touch $@

docs: $(VENV)/.docs ## the documentation as pages in build/docs; a broken link fails
	$(BIN)/python -m mkdocs build --strict --config-file .mkdocs.yml

format: $(VENV)/.dev ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## measure speed against baselines in the same run
	$(BIN)/python -m tests.benchmarks

gpu-check: $(VENV)/.dev ## try serving and tuning on the GPU of this machine, part by part
	$(BIN)/soar-tui doctor --gpu

clean: ## remove the environment and all caches
	rm -rf $(VENV) $(VENV)-llm $(VENV)-cluster dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
