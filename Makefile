# Everything a person does with this house. `make help` explains; nothing here needs more than Python and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Each process of house and tests would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
# A version manager on PATH may hide the right interpreter; scripts/install asks each one: PYTHON=/path/to/python3.12

# ---- Use ------------------------------------------------------------------------------------------

.PHONY: help
help: ## Show this list
	@echo "Calmness Trading. The two commands to know: make run, make test."
	@awk 'BEGIN {FS = ":.*## "} /^# ---- / {gsub(/^# ---- | -+$$/, ""); printf "\n%s\n", $$0} \
		/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' Makefile

.PHONY: install
install: ## Install the locked packages into .venv (run and test do it themselves)
	@scripts/install run

.PHONY: run
run: ## Install, start Redis, web, worker and clock, load the demo, print the address (PORT=8000)
	@scripts/install run
	@exec $(PY) -m supervisor

.PHONY: shell
shell: ## Open a Python prompt inside the application
	@scripts/install run
	@$(PY) -m supervisor --with-environment $(PY) -m flask --app wsgi shell

.PHONY: clean
clean: ## Remove caches; the data in instance/ and the packages in .venv stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: reset-demo
reset-demo: ## Throw the data in instance/ away; the next make run loads the demo anew
	@$(PY) -m supervisor --forget

# ---- Prove ----------------------------------------------------------------------------------------

TESTS ?= tests

.PHONY: test
test: ## Run every test: SQLite and PostgreSQL, real Redis, browser (TESTS=tests/billing for a part)
	@scripts/install test
	@CALMNESS_TEST_DATABASE=both $(PY) -m pytest -n 2 -q $(TESTS)

.PHONY: test-fast
test-fast: ## Run the tests on SQLite alone, without browser and processes
	@scripts/install test
	@$(PY) -m pytest -n 2 -q -m "not browser and not live" $(TESTS)

.PHONY: browser-test
browser-test: ## Run the browser tests alone (Chromium; CALMNESS_CHROMIUM names another)
	@scripts/install test
	@$(PY) -m pytest -q -m browser $(TESTS)

.PHONY: coverage
coverage: ## Run the tests on SQLite and show the lines that none of them reaches
	@scripts/install test
	@rm -f .coverage .coverage.*
	@$(PY) -m coverage run -m pytest -q -m "not browser and not live"
	@$(PY) -m coverage combine -q && $(PY) -m coverage report

.PHONY: bench
bench: ## Measure the product against its floors; figures go to bench/results/
	@scripts/install test
	@$(PY) -m bench

# ---- Gates ----------------------------------------------------------------------------------------

.PHONY: check
check: lint test ## Everything a change must pass: lint, then test

.PHONY: lint
lint: ## Style, types, arrows between packages, templates, CSS, dead code
	@scripts/install test
	@$(PY) scripts/lint.py

.PHONY: format
format: ## Rewrite the code in the house's format
	@scripts/install test
	@$(PY) -m ruff check --fix -q . ; $(PY) -m ruff format .

.PHONY: migration-check
migration-check: ## Migrations up, down and equal to the models on both databases
	@scripts/install test
	@CALMNESS_TEST_DATABASE=both $(PY) -m pytest -q tests/migrations

.PHONY: audit
audit: ## Look for known holes in the locked packages (needs the network)
	@scripts/audit

# ---- Maintain -------------------------------------------------------------------------------------

.PHONY: lock
lock: ## Compute the locks anew from requirements/*.in (UPGRADE=1 takes newer versions)
	@scripts/lock $(if $(UPGRADE),--upgrade)

.PHONY: vendor
vendor: ## Fetch fonts, icons and scripts from their npm packages into static/vendor
	@scripts/install test
	@$(PY) scripts/vendor.py

.PHONY: translations
translations: ## Take new French texts into the English catalogue and compile it; tells what waits for its English
	@scripts/install test
	@$(PY) scripts/translations.py

.PHONY: screenshots
screenshots: ## Take the pictures of the README from the running product (PORT=8000)
	@scripts/install test
	@$(PY) scripts/screenshots.py $(PORT)
