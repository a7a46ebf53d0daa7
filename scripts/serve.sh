#!/usr/bin/env bash
# Serves the demo's data, or that of ATELIER_DATA_DIR.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/setup.sh build
scripts/web.sh
run cargo build --release --locked -p atelier-cli
export ATELIER_DATA_DIR="${ATELIER_DATA_DIR:-$PWD/demo-data}"
exec "$(target_directory)/release/atelier" serve "$@"
