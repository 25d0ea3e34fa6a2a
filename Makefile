# Two commands do it all: make app, make test. `make help` lists the rest.


PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests run side by side, on all cores; a process that has done its own takes over from the others.
PYTEST = $(BIN)/python -m pytest -n auto --dist worksteal
PORT ?= 8501
# What is trained from, and where the models go. A test part, or votes, are taken where they are named.
DATA ?= data.csv
TEST ?=
VOTES ?=
OUT ?= my-models
.DEFAULT_GOAL := help
.PHONY: app test quick data train networks lab notebooks verify bench check help

$(BIN)/.app: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(BIN)/.dev: $(BIN)/.app requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	touch $@

$(BIN)/.train: $(BIN)/.app requirements/train.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/train.txt
	touch $@

$(BIN)/.lab: $(BIN)/.app requirements/notebooks.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/notebooks.txt
	touch $@

app: $(BIN)/.app  ## set up what is missing and serve the page at http://localhost:8501
	$(BIN)/python -m emotion app --port $(PORT)

test: $(BIN)/.dev  ## set up what is missing and run all tests
	$(PYTEST)

quick: $(BIN)/.dev  ## run the tests that need no browser, cluster, notebook or training: under a minute
	$(PYTEST) -m "not slow" --ignore tests/browser --ignore tests/networks --ignore tests/training \
		--ignore tests/runtime/test_cluster.py --ignore tests/test_notebooks.py --ignore tests/test_installed.py

data: $(BIN)/.app  ## download FER2013 from Kaggle and make data.csv and test.csv
	$(BIN)/python kaggle_handler.py msambare/fer2013 --add-more
	$(BIN)/python image_to_vector.py Assets/fer2013/train --output data.csv --keep-names
	$(BIN)/python image_to_vector.py Assets/fer2013/test --output test.csv --keep-names

train: $(BIN)/.app  ## train five models from data.csv into my-models/; TEST=test.csv names a test part, OUT=FOLDER another folder
	$(BIN)/python -m emotion train --data $(DATA) $(if $(TEST),--test $(TEST)) --out $(OUT) \
		$(if $(VOTES),--votes $(VOTES) --learn-votes)

networks: $(BIN)/.train  ## train the embedding networks into networks/; wants a graphics card, can be interrupted
	$(BIN)/python -m emotion train-networks --data $(DATA) $(if $(TEST),--test $(TEST)) $(if $(VOTES),--votes $(VOTES))

# What the notebooks read is named as above.
NOTEBOOKS = notebooks/Model_Building.ipynb notebooks/Model_Testing.ipynb
PLACES = EMOTION_DATA=$(DATA) EMOTION_TEST=$(TEST) EMOTION_VOTES=$(VOTES) EMOTION_MODELS=$(OUT)

lab: $(BIN)/.lab  ## open copies of the notebooks, in my-notebooks/, in JupyterLab
	$(BIN)/python notebooks/run.py --only-copy notebooks/*.ipynb
	$(PLACES) $(BIN)/python -m jupyterlab my-notebooks

notebooks: $(BIN)/.app  ## run copies of the notebooks, in my-notebooks/; Model_Building trains models
	$(PLACES) $(BIN)/python notebooks/run.py $(NOTEBOOKS)

verify: $(BIN)/.app  ## measure the models that ship anew, with FER2013 and FER+'s votes, and compare with what is published
	$(BIN)/python benchmarks/verify.py --data $(DATA) --test $(or $(TEST),test.csv) --votes $(or $(VOTES),ferplus_votes.csv) $(SETS)

bench: $(BIN)/.dev  ## measure how fast the parts are, and how smooth the webcam page; JSON: benchmarks/results/
	mkdir -p benchmarks/results
	$(BIN)/python benchmarks/speed.py --json benchmarks/results/speed.json
	$(BIN)/python benchmarks/webcam.py --json benchmarks/results/webcam.json

check: $(BIN)/.dev  ## formatting, lint, types and, where the network allows, known faults of the dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if $(BIN)/python -c 'import socket; socket.create_connection(("api.osv.dev", 443), 5)' 2>/dev/null; \
	then $(BIN)/pip-audit --local --vulnerability-service osv --progress-spinner off; \
	else echo "api.osv.dev cannot be reached: known faults of the dependencies were not looked up"; fi

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */\1\t/' | expand -t 12
