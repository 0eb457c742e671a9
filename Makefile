# `make` lists the commands. `make run` and `make test` need Python, pip, make and git, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# The machine's pip installs, since Debian's Python puts none into a virtual environment.
PIP = $(PYTHON) -m pip --python $(BIN)/python --quiet --disable-pip-version-check
.DEFAULT_GOAL := help

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The run-time packages alone are enough to serve; every package is checked against its hash.
$(VENV)/.run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.develop: requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.run

##@ Run

run: $(VENV)/.run ## Serve on http://127.0.0.1:8000, GraphiQL and demo data included; everything is under var/
	@$(PYTHON) graphiql/build.py $(BIN)/python || true
	@exec $(BIN)/python -m graphql_api serve --demo

demo: $(VENV)/.run ## Fill an empty database with people, workspaces and accounts
	@$(BIN)/python -m graphql_api migrate
	@$(BIN)/python -m graphql_api demo

##@ Check

quick: $(VENV)/.develop ## Check what changed in under a minute: style, types, the tests of the rooms touched
	@$(BIN)/python -m tests.quick

lint: $(VENV)/.develop ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## Lint and test

test: $(VENV)/.develop ## Run the Python tests, on SQLite and on a PostgreSQL 18 that they start themselves
	$(BIN)/python -m pytest -n auto --dist loadfile

test-clients: node $(VENV)/.develop ## Hold a server to the GraphQL over HTTP audits and to clients (needs Node.js)
	npm --prefix tests/clients ci
	$(BIN)/python -m tests.server -- npm --prefix tests/clients test
	$(BIN)/python -m tests.server --sample -- npm --prefix tests/clients test -- streams.test.js

test-browser: chromium node graphiql $(VENV)/.develop ## Drive GraphiQL in Chromium, pictures in artefacts/ (needs Node.js)
	npm --prefix graphiql run check
	npm --prefix tests/browser ci
	$(BIN)/python -m tests.server -- npm --prefix tests/browser test

picture: test-browser ## Take the picture of GraphiQL that the README shows
	cp artefacts/graphiql-refused.png docs/pictures/

##@ Test at length

fuzz: $(VENV)/.develop ## Send a server what nobody wrote (half an hour), and print the figures
	$(BIN)/python -m tests.server -- $(BIN)/python -m tests.fuzz --documents $(documents) --bodies $(bodies) --frames $(bodies)
	$(BIN)/python -m tests.server --postgresql -- $(BIN)/python -m tests.conformance --examples $(examples)

documents = 20000
bodies = 10000
examples = 100

siege: $(VENV)/.develop ## Attack a server, and break what it stands on (half an hour), and print the figures
	$(BIN)/python -m tests.siege
	$(BIN)/python -m tests.siege.faults

races: $(VENV)/.develop ## Run the races in full (minutes), and write docs/races.md
	$(BIN)/python -m tests.races --rounds 200 --clients 16 --write docs/races.md

claims: $(VENV)/.develop ## Compare the way in which claims are written with the ORM, over 10,000 random calls (half an hour)
	$(BIN)/python -m tests.accounts --calls 10000

oracle: $(VENV)/.develop ## Compare compiled operations with graphql-core in full (minutes), and write docs/compiled.md
	$(BIN)/python -m tests.execution.compiled.oracle --cases 100000 --write docs/compiled.md

##@ Measure

bench: $(VENV)/.develop benchmarks/node/node_modules ## Measure the server against others (an hour; needs Node.js), and write docs/performance.md
	$(BIN)/python -m benchmarks --write docs/performance.md

growth: $(VENV)/.develop ## Measure how the figures grow with the data (half an hour), and write docs/performance.md
	$(BIN)/python -m benchmarks --growth --write docs/performance.md

benchmarks/node/node_modules: benchmarks/node/package-lock.json
	cd benchmarks/node && npm ci
	@touch $@

##@ Change

install: $(VENV)/.develop ## Install everything that development needs

schema: $(VENV)/.run ## Write schema.graphql
	$(BIN)/python -m graphql_api schema schema.graphql

format: $(VENV)/.develop ## Format the code, and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

revision: $(VENV)/.develop ## Write a migration from the tables: make revision m="Say what changes"
	$(BIN)/python -m graphql_api.storage.migrations.revise "$(m)"
	$(BIN)/ruff format -q graphql_api/storage/migrations

lock: $(VENV)/.develop ## Pin the dependencies anew, with hashes and without addresses
	$(BIN)/uv pip compile -q $(LOCK) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q $(LOCK) --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile -q $(LOCK) --group node -o requirements-node.txt

LOCK = --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header

graphiql: $(VENV)/.run ## Build GraphiQL into the package, if that is not done; without Node.js, with the one from PyPI
	@$(PYTHON) graphiql/build.py $(BIN)/python

node:
	@command -v npm > /dev/null || { echo "This needs Node.js 20.19 or later with npm, and there is no npm." >&2; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
	  || { echo "This needs Node.js 20.19 or later, and finds $$(node --version)." >&2; exit 1; }

chromium:
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" \
	  || { echo "This needs Chromium: Debian's package, or CHROMIUM=path of another." >&2; exit 1; }

clean: ## Remove what the commands above made, but not var/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

.PHONY: picture graphiql help install run demo quick test races claims oracle lint check schema format revision lock clean bench growth node chromium test-clients test-browser fuzz siege
