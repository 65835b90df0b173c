# One word runs everything. Every word sets up what it needs, below .venvs, the first time.

MAIN = 3.11 3.12 3.13
ANY = $(MAIN) 3.10 3.9
SECONDS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench soak locks clean

help: ## what there is
	@echo "make WORD, where WORD is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'

demo: ## a real web application under load, and what mmstats counts of it; SECONDS=10 ends it
	@dev/packages demo
	@python=$$(dev/venv demo demo $(ANY)) && exec $$python examples/demo/demo.py $(addprefix --seconds ,$(SECONDS))

test: ## everything that must hold, on every Python there is, some fourteen minutes
	@dev/packages
	@dev/test

lint: ## style, types, layers, and whether generated files are in step
	@python=$$(dev/venv main main $(MAIN)) && dev/lint $$python

format: ## bring Python and C into shape
	@python=$$(dev/venv main main $(MAIN)) && dev/format $$python

bench: ## what an update costs, both twins against an empty method call
	@python=$$(dev/venv main main $(MAIN)) && for program in bench/*.py; do $$python $$program || exit 1; done

soak: ## the long tests, minutes to hours
	@python=$$(dev/venv main main $(MAIN)) && exec $$python -m pytest -m soak -s

locks: ## lock what developers need anew; wants uv
	@dev/locks

clean: ## remove what was built
	rm -rf .venvs build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf src/*.egg-info src/mmstats/*/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
