# Everything here sets itself up from a bare checkout: Python 3.10 or later is all it needs.
# Each virtual environment is made once, and anew when pyproject.toml changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSIONS := 3.10 3.11 3.12 3.13
BARE := 3.10 3.11 3.12 # on the newest, `test-all` has the core's tests among all others
BETWEEN := 3.11 3.12
SOURCES := $(shell find autoflow -type f -not -name '*.pyc')
DEV := .venv-dev/bin/
# Without bytecode: what is imported is compiled then, and that is a fraction of what is installed.
PIP := bin/python -m pip --disable-pip-version-check install --quiet --quiet --no-compile
# The tests start thousands of processes, and each would compile autoflow anew where bytecode may not be written.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := -m pytest --quiet -rfEs --dist loadgroup --durations 20 --durations-min 8

.PHONY: help
help:
	@echo 'make demo    a real pipeline on the server in .demo, and the graph of it'
	@echo 'make test    all tests; those of the core on each of Python $(VERSIONS)'
	@echo 'make lint    ruff, and biome for the page: rules and format'
	@echo 'make types   mypy and pyright, strict'
	@echo 'make bench   the benchmarks, beside other clients: benchmarks/RESULTS.md'
	@echo 'make soak    the long run: killing recorders and senders, and counting'
	@echo 'make clean   remove what the others made'

# -- the demo

.PHONY: demo
demo: .venv-demo/ready
	@.venv-demo/bin/python examples/demo.py

.venv-demo/made: pyproject.toml
	@python=$$(.ci/python) && rm -rf $(@D) && $$python -m venv $(@D) && touch $@

.venv-demo/ready: .venv-demo/made $(SOURCES)
	@echo 'Installing autoflow with the libraries of its server and the examples into $(@D) ...'
	@rm -rf build && $(@D)/$(PIP) '.[server,examples]' && rm -rf build && touch $@

# -- the tests

# All tests but those marked `timing`, with more workers than cores, as many wait for processes and servers; then those,
# which mostly wait: two groups at once, the longest first.
.PHONY: test test-all untimed timing $(VERSIONS:%=test-%) $(VERSIONS:%=untimed-%) $(VERSIONS:%=timing-%)
test: untimed $(BARE:%=untimed-%)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync timing $(BARE:%=timing-%)

# The core with wrapt and requests alone, on one version of Python; only files that hold such tests are imported. What
# Hypothesis searches for does not depend on the version: most examples are tried by `test-all`. Nor do the tests marked
# `slow`: `test` runs them on the oldest version and the newest, `test-3.11` on that.
$(BETWEEN:%=untimed-%) $(BETWEEN:%=timing-%): NOT_SLOW := and not slow
$(VERSIONS:%=test-%): NOT_SLOW :=
$(VERSIONS:%=test-%): test-%: untimed-%
	@$(MAKE) --no-print-directory NOT_SLOW= timing-$*

test_core = if [ -e .venv-$(1)/ready ]; then echo 'The core on Python $(1), $(2):' && .venv-$(1)/bin/python $(PYTEST) \
    -n $(3) --hypothesis-profile fewer -m 'core and $(2) $(NOT_SLOW)' \
    $$(grep --recursive --files-with-matches mark.core tests --include 'test_*.py'); \
    else echo 'NOT TESTED on Python $(1): install it, or make it known to pyenv.'; fi

$(VERSIONS:%=untimed-%): untimed-%: .venv-%/ready
	@$(call test_core,$*,not timing,6)

$(VERSIONS:%=timing-%): timing-%: .venv-%/ready
	@$(call test_core,$*,timing,0)

# Everything, beside the real SDK, on the newest Python there is.
test-all: untimed
	@$(MAKE) --no-print-directory timing

untimed: .venv-dev/ready
	@echo "Everything on $$($(DEV)python --version), not timing:" && $(DEV)python $(PYTEST) -n 6 -m 'not timing'

timing: .venv-dev/ready
	@echo "Everything on $$($(DEV)python --version), timing:" && $(DEV)python $(PYTEST) -n 0 -m timing

$(VERSIONS:%=.venv-%/ready): .venv-%/ready: pyproject.toml
	@if python=$$(.ci/python $*); then echo 'Installing autoflow and the test tools into $(@D) ...' && \
	    rm -rf $(@D) && $$python -m venv $(@D) && $(@D)/$(PIP) -e '.[test]' && touch $@; fi

.venv-dev/ready: pyproject.toml
	@echo 'Installing autoflow, its tools and the Supervisely SDK into $(@D); the first time takes minutes ...'
	@for version in 3.13 3.12 3.11 3.10 ''; do python=$$(.ci/python $$version 2>/dev/null) && break; done; \
	python=$${python:-$$(.ci/python)} && rm -rf $(@D) && $$python -m venv $(@D) && \
	$(@D)/$(PIP) -e '.[dev,sdk]' && touch $@

# -- development

# All that `.ci/run` needs, made at once: `make --jobs 3 environments`.
.PHONY: environments
environments: .venv-demo/ready $(BARE:%=.venv-%/ready) .venv-dev/ready

.PHONY: lint types bench soak clean
lint: .venv-dev/ready node_modules/ready
	@$(DEV)ruff check
	@$(DEV)ruff format --check
	@node_modules/.bin/biome check --error-on-warnings

# The tools for the page's JavaScript, in the versions that package.json allows.
node_modules/ready: package.json
	@.ci/node_modules && touch $@

types: .venv-dev/ready
	@$(DEV)mypy
	@$(DEV)pyright --pythonpath $(DEV)python

# Beside the clients it is compared with; benchmarks/RESULTS.md is written.
bench: .venv-bench/ready .venv-mlflow/ready
	@.venv-bench/bin/python benchmarks/run.py

.venv-bench/ready: pyproject.toml
	@echo 'Installing autoflow, the clients it is measured beside and the Supervisely SDK into $(@D) ...'
	@python=$$(.ci/python) && rm -rf $(@D) && $$python -m venv $(@D) && $(@D)/$(PIP) -e '.[server,postgres,sdk,bench]' && touch $@

soak: .venv-dev/ready .venv-protobuf/ready .venv-ray/ready .venv-torch/ready
	@$(DEV)python $(PYTEST) -n 0 -m soak tests/test_compose.py tests/sdk/test_v1_app.py
	@$(DEV)python benchmarks/soak.py
	@$(DEV)python benchmarks/soak.py embedded
	@$(DEV)python benchmarks/versions_soak.py
	@! $(DEV)python benchmarks/versions_soak.py --kills 60 --versions 0 --naive # loses bytes, which must be noticed
	@$(DEV)python benchmarks/media_soak.py
	@$(DEV)python -m benchmarks.reproduction_soak
	@$(DEV)python benchmarks/frameworks_soak.py ray=.venv-ray/bin/python torch=.venv-torch/bin/python

# Frameworks too large for .venv-dev, each in an environment of its own, on a Python that both have wheels for.
.venv-ray/ready: FRAMEWORK := ray
.venv-torch/ready: FRAMEWORK := torch==2.13.0
.venv-mlflow/ready: FRAMEWORK := mlflow>=3.5
.venv-ray/ready .venv-torch/ready .venv-mlflow/ready: pyproject.toml
	@echo 'Installing autoflow and $(FRAMEWORK) into $(@D) ...'
	@python=$$(.ci/python 3.11) && rm -rf $(@D) && $$python -m venv $(@D) && $(@D)/$(PIP) -e . '$(FRAMEWORK)' && touch $@

# What apps of the SDK's first generation need, beside .venv-dev: the SDK alone does not run with a newer one.
.venv-protobuf/ready: .venv-dev/ready
	@rm -rf $(@D) && .venv-dev/$(PIP) --no-deps --target $(@D) 'protobuf==3.20.3' && touch $@

clean:
	rm -rf .venv-demo .venv-dev .venv-protobuf .venv-bench .venv-mlflow .venv-ray .venv-torch $(VERSIONS:%=.venv-%) .demo build dist autoflow_lineage.egg-info
	rm -rf node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find autoflow tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
