# Everything runs in an environment of its own, .venv, made on first use. Needs Python 3.11 or newer and make.
PYTHON ?= python3
REPORT ?= corpora/mexico-2014/report.txt
OUT ?=
DEVELOPMENT ?= ../shared/development
CORPORA ?= corpora/mexico-2014 corpora/composed
BIN = .venv/bin

.PHONY: tag test check format model measure experiments bench pages codebook words clean

tag: .venv/core  ## Tag a report: make tag REPORT=their.txt OUT=tags.csv
	@$(BIN)/tagger tag "$(REPORT)" $(if $(OUT),-o "$(OUT)")

test: .venv/dev  ## Run all tests
	$(BIN)/python -m pytest

check: .venv/dev  ## Lint, types, layers, then the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

model: .venv/dev  ## Train the shipped model anew
	$(BIN)/tagger train $(CORPORA) -o models/default --results experiments/default/results.json

measure: .venv/dev  ## Measure the shipped model on labelled passages of other countries: make measure DEVELOPMENT=folder, then make model
	OMP_NUM_THREADS=1 $(BIN)/python experiments/default/measure.py "$(DEVELOPMENT)"

experiments: .venv/dev  ## Run the experiments that have an experiment.toml anew, where corpora or code changed
	for file in experiments/*/experiment.toml; do OMP_NUM_THREADS=1 $(BIN)/tagger experiment run $$file || exit 1; done

bench: .venv/peers  ## Measure speed and memory against their targets, in a quarter of an hour
	OMP_NUM_THREADS=1 $(BIN)/python experiments/speed/bench.py --profile

pages: .venv/peers  ## Write the model's figures and outputs into README.md and the datasheets
	$(BIN)/python experiments/pages.py

words: .venv/dev  ## Write tagger/reading/words.txt from the composed passages
	$(BIN)/python experiments/reading/words.py

codebook: .venv/dev  ## Write corpora/codebook.md from corpora/themes.toml
	$(BIN)/tagger codebook > corpora/codebook.md.tmp && mv corpora/codebook.md.tmp corpora/codebook.md

.venv/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found: name one with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11: name a newer one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/core: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[documents]'
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

.venv/peers: .venv/dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[peers]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info experiments/speed/cache
