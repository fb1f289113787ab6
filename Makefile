# make demo    open the page on the committed checkpoint      make train   train it again
# make test    every test, in a real Chromium too             make bench   speed and quality, measured
# make lint    ruff
# The tests need nginx too: apt install nginx, or brew install nginx.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo test train bench lint

demo: $(VENV)/installed
	$(RUN) demo.py

train: $(VENV)/installed
	$(RUN) trainer.py

test: $(VENV)/chromium
	$(RUN) -m pytest

lint: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

bench: $(VENV)/chromium
	$(RUN) -m benchmarks.page_speed      # benchmarks/page_speed.json
	$(RUN) -m benchmarks.load            # benchmarks/load.json
	$(RUN) -m benchmarks.paths           # benchmarks/paths.json
	$(RUN) -m benchmarks.training_speed  # benchmarks/training_speed.json
	$(RUN) -m benchmarks.quality         # benchmarks/quality.json
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

# The system's Chromium where there is one, else Playwright's own download.
$(VENV)/chromium: $(VENV)/installed-dev
	command -v chromium || command -v chromium-browser || $(RUN) -m playwright install chromium
	touch $@
