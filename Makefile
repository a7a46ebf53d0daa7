# The commands of this repository. `make` alone lists them; the work is done in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo serve test setup check lint fmt build bench eval fuzz pictures reference clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

demo: ## Draft replies and make images from the samples; with MODEL=gemini:NAME replies by a real model, for at most MAX_COST=0.50 dollars
	@scripts/demo.sh

serve: ## Serve what the demo has made, or your own data with ATELIER_DATA_DIR=…
	@scripts/serve.sh

test: ## Run every check and test, as CI does
	@scripts/test.sh

setup: ## Install what building and testing need, where it is missing
	@scripts/setup.sh

check: ## Check formatting, direction and sizes: seconds
	@scripts/test.sh format rules

lint: ## Check what `make check` does, then clippy and rustdoc
	@scripts/test.sh format rules clippy docs

fmt: setup ## Format the code
	@. scripts/lib.sh && run cargo fmt --all

build: setup ## Build the release binary, the web studio in it
	@scripts/web.sh && . scripts/lib.sh && run cargo build --release --locked -p atelier-cli

bench: setup ## Measure the engine against limits and peers, in half an hour; CASES=a,b for some, QUICK=1 for small ones
	@. scripts/lib.sh && run cargo build --release --locked -p atelier-cli -p atelier-app --bin atelier \
	    --example one_process && \
	  python3 -B bench/run.py --binary "$$(target_directory)/release/atelier" \
	    $(if $(CASES),--cases "$(CASES)") $(if $(QUICK),--quick)

eval: setup ## Measure the search on Tux Paint's stamps, against the baselines; SAVE=1 writes those anew
	@. scripts/lib.sh && run cargo build --release --locked -p atelier-cli && \
	  python3 -B bench/search/stamps.py --binary "$$(target_directory)/release/atelier" $(if $(SAVE),--save)

fuzz: setup ## Fuzz what reads providers' answers and users' files; FUZZ_SECONDS=60 for each of the targets
	@scripts/fuzz.sh $(TARGETS)

pictures: setup ## Take pictures of the web studio into docs/studio
	@scripts/web.sh && . scripts/lib.sh && run cargo build --release --locked -p atelier-cli && \
	  ATELIER_BINARY="$$(realpath "$$(target_directory)/release/atelier")" ATELIER_PICTURES="$$PWD/docs/studio" \
	  npm --prefix web run --silent test -- tests/pictures

reference: setup ## Write docs/reference.md and docs/openapi.json anew
	@. scripts/lib.sh && cargo run --quiet -p atelier-cli -- reference > docs/reference.md.new && mv docs/reference.md.new docs/reference.md && \
	  cargo run --quiet -p atelier-cli -- openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

clean: ## Remove what building and the demo have made
	@. scripts/lib.sh && run rm -rf demo-data replies.csv contact-sheet.html && run cargo clean
