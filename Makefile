# Everything runs in a virtual environment of its own. Needs python3 (3.11 or newer), make and git.
PYTHON ?= python3
BIN := .venv/bin
# Of `make soak`, for the memory under half the load.
MINUTES ?= 60
# The stamp names the folder it was made in: a moved or copied checkout makes its own again.
STAMP := .venv/stamp-$(shell { pwd; cat requirements/*.txt; } | cksum | cut -d' ' -f1)

.PHONY: demo serve test check format docs bench crash soak clean

demo: $(STAMP)-run
	@$(BIN)/python -m cli demo

serve: $(STAMP)-run
	@$(BIN)/python -m cli serve

# Two at a time, file by file: servers and sessions are a file's own, and half of the time is waiting.
test: check
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP)-dev
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check

format: $(STAMP)-dev
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

docs: $(STAMP)-dev
	@$(BIN)/python docs/generate.py

bench: $(STAMP)-dev
	@$(BIN)/python -m benchmarks

# A campaign that failed says its seed: make crash SEED=...
crash: $(STAMP)-dev
	@$(BIN)/python -m pytest -m long $(if $(SEED),--seed $(SEED)) tests/crash tests/integration/feed tests/integration/api/test_uniform_answers.py

soak: $(STAMP)-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/soak/requirements.txt || echo "No fuzzer for this Python: parsers are fuzzed by Hypothesis alone."
	@$(BIN)/python -m pytest -s -m long --soak-minutes $(MINUTES) tests/soak tests/tamper
	@$(BIN)/python -m pytest --hypothesis-profile=drawn tests/generative

clean:
	rm -rf .venv

$(STAMP)-run:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vaxledger needs Python 3.11 or newer")'
	@echo "Installing what vaxledger needs (once) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/main.txt -r requirements/embedded.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP)-dev: $(STAMP)-run
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/main.txt -r requirements/embedded.txt -r requirements/dev.txt
	@touch $@
