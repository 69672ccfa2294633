# Every command does its own set-up, again and again without harm.
.DEFAULT_GOAL := help
.PHONY: help demo demo-clean test check lint bench faults hours screenshots openapi setup-demo setup-test

# The tests that hold the whole together rather than one part of it.
CONTRACTS := tests/test_structure.py tests/test_systemd.py tests/schema \
	tests/card_server/web/test_access.py tests/card_server/web/test_translations.py \
	tests/card_server/api/test_document.py

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: setup-demo ## A school of 600 on this machine, to try everything (Ctrl-C ends it)
	@exec .venv/bin/python -m card_server.demo

demo-clean: ## Remove what the demo kept
	rm -rf var/demo

test: setup-test ## Everything that must hold: the checks, then all tests
	@failed=0; $(MAKE) --no-print-directory lint || failed=1; \
	.venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder || failed=1; exit $$failed

check: setup-test lint ## Style, types, who may import whom; routes, words, migrations, units
	.venv/bin/pytest $(CONTRACTS)

lint:
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	bash -n .ci/setup

bench: setup-test ## How fast it is here, against what it must be
	.venv/bin/python -m tests.bench

openapi: setup-test ## Write schema/openapi.json anew after a change of the API
	.venv/bin/python -m card_server.api.document

faults: setup-test ## The long suites: every part killed, cut and starved; properties with new examples
	.venv/bin/pytest -m "faults or hypothesis" --hypothesis-profile=exploring --timeout=1800

hours: setup-test ## All tests at other hours of the day and of the week
	.venv/bin/python -m tests.hours

screenshots: setup-test ## Every page in both languages, both modes and two widths, in var/screenshots/
	.venv/bin/python -m tests.screenshots

setup-demo:
	@.ci/setup demo

setup-test:
	@.ci/setup test
