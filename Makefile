# `make` alone prints the targets. Node 24 comes by npm, so that an older Node on the machine is enough to start.
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules

demo: node_modules ## watch the whole product work on a real control plane (CI=true: ends by itself)
	@node test/demo/main.ts

test: node_modules ## run all tests; the last line is the count
	@node node_modules/vitest/vitest.mjs run $(ONLY)

check: node_modules ## format, lint, types and unused code
	biome check .
	tsc -p .
	knip

generate: node_modules ## make crds/, config/rbac, config/samples and the references from the definitions
	node operator/codegen/main.ts

verify: generate ## generate, and fail when the tree is not clean
	@test -z "$$(git status --porcelain -- crds config operator)" || \
		{ git status --short -- crds config operator; echo 'generated files are out of date: run make generate and commit'; exit 1; }

cluster: node_modules ## keep a control plane up until Ctrl-C and print the KUBECONFIG to export
	@node test/cluster/main.ts

run: node_modules ## run the operator against KUBECONFIG with the variables of the environment
	@node operator/main.ts $(ARGS)

backend: node_modules ## run the reference backend until Ctrl-C and print how to talk to it
	@node test/backends/cloudoptim/main.ts $(ARGS)

bench: node_modules bundle ## measure; ONLY=name for one figure
	@node test/bench/main.ts $(ONLY)

sweep: node_modules bundle ## kill the operator at every call and count what survives; ONLY=name
	@node test/sweep/main.ts $(ONLY)

bundle: node_modules ## bundle the operator into dist/
	node operator/codegen/bundle.ts

image: ## build the container image
	docker build -t cloudoptim-operator:$$(node -p "require('./package.json').version") .

clean: ## remove what can be made anew
	rm -rf dist node_modules

.PHONY: help demo test check generate verify cluster run backend bench sweep bundle image clean
