# shellcheck shell=bash
# What the scripts share. A script sources this first; it then runs in the clone's root, with the Rust
# toolchain on its PATH and CARGO_TARGET_DIR set where CI is.
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# `make -j` offers its job server to the commands it starts but keeps it closed to them, and cargo would warn.
unset MAKEFLAGS MFLAGS MAKELEVEL

export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
export PYTHONUTF8=1

# rustup's own directory goes first: a distribution's cargo may be older.
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# A Node of our own, where the machine's is too old or missing: scripts/setup.sh installs it.
readonly NODE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}/atelier/node"
# The oldest Node that builds the web studio.
readonly NEEDED_NODE=20.19

node_suffices() {
  command -v npm >/dev/null 2>&1 &&
    [[ "$(printf '%s\n' "$NEEDED_NODE" "$(node --version 2>/dev/null | tr -d v)" | sort -V | head -n 1)" == "$NEEDED_NODE" ]]
}

if [[ -x "$NODE_HOME/bin/node" ]] && ! node_suffices; then
  export PATH="$NODE_HOME/bin:$PATH"
fi

in_ci() {
  [[ -n "${CI:-}" && "$CI" != false && "$CI" != 0 ]]
}

# In CI each run is a fresh clone, so what was built is kept beside it.
if in_ci && [[ -z "${CARGO_TARGET_DIR:-}" ]]; then
  export CARGO_TARGET_DIR="${ATELIER_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/atelier/target}"
  # Each clone's path leaves artefacts of its own; incremental ones would only be ballast there.
  export CARGO_INCREMENTAL=0
fi

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  readonly BOLD=$'\e[1m' RESET=$'\e[0m'
else
  readonly BOLD='' RESET=''
fi

# Announces what is done next.
say() {
  printf '%s==> %s%s\n' "$BOLD" "$*" "$RESET"
}

# Adds a detail to what was said last.
note() {
  printf '    %s\n' "$@"
}

# Says what is wrong and what to do about it, a line each, and stops with exit code 3.
give_up() {
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '       %s\n' "$@" >&2
  exit 3
}

# Shows a command as one would type it, then runs it.
run() {
  show "$@"
  "$@"
}

# Shows a command, each word quoted that has to be; a redirection is given as words of its own.
show() {
  local word line='$'
  for word in "$@"; do
    [[ "$word" == '>' || "$word" =~ ^[][A-Za-z0-9_./:=@%+,-]+$ ]] || word=${word@Q}
    line+=" $word"
  done
  printf '%s%s%s\n' "$BOLD" "$line" "$RESET"
}

# Where cargo puts what it builds: by the environment, by a configuration file, or by default.
target_directory() {
  cargo metadata --no-deps --offline --format-version 1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}
