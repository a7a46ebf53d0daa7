#!/usr/bin/env bash
# Every check and test, cheapest first. Stops at the first step that fails, names it, and exits non-zero.
#
#   scripts/test.sh                  all steps
#   scripts/test.sh format rules     only these
#
# It spends no money: provider keys are taken out of its environment before anything runs. The network is
# used by cargo and pip, for what is not here yet, and by nothing else.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly ALL_STEPS=(format rules web clippy docs tests browser sdk oidc api)
readonly MAX_CACHED_GIB=20

# --- The steps ---------------------------------------------------------------------------------------------

step_format() {
  run cargo fmt --all --check
}

step_rules() {
  local check
  for check in scripts/check-*.sh; do
    run "$check"
  done
  run python3 -B -m unittest discover --quiet --start-directory bench/tests --top-level-directory bench
}

# Before what is compiled: the built studio is inside the binary.
step_web() {
  run scripts/web.sh check
}

step_clippy() {
  run cargo clippy --workspace --all-targets --locked -- -D warnings
}

step_docs() {
  run env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
}

step_tests() {
  run cargo test --workspace --locked 2>&1 | tee "$scratch/tests.log"
  # Counted from cargo's own closing lines, so that a run which tested nothing can't pass.
  tests_passed=$(count_tests passed)
  tests_ignored=$(count_tests ignored)
  ((tests_passed > 0)) || {
    echo 'error: no test ran' >&2
    return 1
  }
}

# The sum of cargo's "test result: ok. 12 passed; 0 failed; 1 ignored; ..." lines, for one of these words.
count_tests() {
  sed -n "s/^test result:.* \([0-9]*\) $1;.*/\1/p" "$scratch/tests.log" | awk '{ n += $1 } END { print n + 0 }'
}

# The web studio as somebody uses it: the real server and sandbox, in a browser.
step_browser() {
  run cargo test --workspace --locked --no-run --quiet
  run env ATELIER_BINARY="$(realpath "$target/debug/atelier")" npm --prefix web run --silent test -- tests
}

# The providers' own clients against our sandbox, so that ours and it can't share one misreading of the wire.
step_sdk() {
  # The binary that the tests were run with: `cargo build` would compile dependencies anew, with the features
  # that are left without the tests'.
  run cargo test --workspace --locked --no-run --quiet
  prepare_sdk
  start_sandbox
  note "the sandbox listens at $sandbox_url"
  run env GOOGLE_GEMINI_BASE_URL="$sandbox_url" GEMINI_API_KEY=sandbox \
    timeout 120 "$target/venv-sdk/bin/python" scripts/sdk/gemini.py
  run env OPENAI_BASE_URL="$sandbox_url/v1" OPENAI_API_KEY=sandbox \
    timeout 120 "$target/venv-sdk/bin/python" scripts/sdk/openai_sdk.py
  stop_sandbox
}

# Sign-in by a real provider of OpenID Connect, which is Node's: what lets somebody in, and what must not.
step_oidc() {
  run cargo test --workspace --locked --no-run --quiet
  prepare_oidc
  run timeout 300 python3 -B scripts/oidc/check.py "$target/debug/atelier" "$target/oidc"
}

# The provider, installed anew when what is wanted of it has changed.
prepare_oidc() {
  local folder="$target/oidc" stamp
  stamp="$(node --version) $(cat scripts/oidc/package-lock.json | sha256sum)"
  if [[ -f "$folder/stamp" && "$(cat "$folder/stamp")" == "$stamp" ]]; then
    note 'the provider is installed already'
    return
  fi
  rm -rf "$folder"
  mkdir -p "$folder"
  cp scripts/oidc/{package.json,package-lock.json,.npmrc} "$folder"
  run npm ci --silent --prefix "$folder"
  echo "$stamp" >"$folder/stamp"
}

# The API, asked whatever its document allows, and much that it doesn't.
step_api() {
  run cargo test --workspace --locked --no-run --quiet
  prepare_venv api scripts/api/requirements.txt
  run timeout 900 scripts/api/check.sh "$target/debug/atelier" "$target/venv-api/bin/schemathesis"
}

# --- What the SDK step needs -------------------------------------------------------------------------------

# A Python environment with the SDKs, made anew when its requirements or the Python have changed.
prepare_sdk() {
  prepare_venv sdk scripts/sdk/requirements.txt
}

prepare_venv() {
  local venv="$target/venv-$1" requirements=$2 stamp
  stamp="$(python3 --version) $(sha256sum <"$requirements")"
  if [[ -f "$venv/stamp" && "$(cat "$venv/stamp")" == "$stamp" ]] && "$venv/bin/python" -c '' 2>/dev/null; then
    note "what $requirements names is installed already"
    return
  fi
  run python3 -m venv --clear "$venv"
  run "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
  echo "$stamp" >"$venv/stamp"
}

start_sandbox() {
  local port_file="$scratch/sandbox-url" tries
  # The quota lets every check through but those that want a refusal.
  "$target/debug/atelier" sandbox --addr 127.0.0.1:0 --port-file "$port_file" --quota requests=20/60s \
    >"$scratch/sandbox.log" 2>&1 &
  sandbox_pid=$!
  for ((tries = 0; tries < 200; tries++)); do
    if [[ -s "$port_file" ]]; then
      sandbox_url=$(<"$port_file")
      return
    fi
    kill -0 "$sandbox_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo 'error: the sandbox did not start to listen; it said:' >&2
  cat "$scratch/sandbox.log" >&2
  return 1
}

# It keeps nothing, so it needs no time to stop.
stop_sandbox() {
  [[ -n "$sandbox_pid" ]] || return 0
  kill -KILL "$sandbox_pid" 2>/dev/null || true
  wait "$sandbox_pid" 2>/dev/null || true
  sandbox_pid=
}

# --- The run -----------------------------------------------------------------------------------------------

# Takes everything out of the environment that could spend money or reach someone's own data.
clear_environment() {
  local name cleared=()
  while read -r name; do
    case $name in
      *_API_KEY | GOOGLE_GEMINI_BASE_URL | OPENAI_BASE_URL | GOOGLE_APPLICATION_CREDENTIALS | GOOGLE_GENAI_USE_*)
        cleared+=("$name") ;;
      ATELIER_TARGET_DIR) ;;
      ATELIER_*) cleared+=("$name") ;;
      *) continue ;;
    esac
  done < <(compgen -e)
  if ((${#cleared[@]} > 0)); then
    unset "${cleared[@]}"
    say "Provider keys and own settings are taken out of the environment: ${cleared[*]}"
  else
    say 'No provider key is set, and none is needed'
  fi
  # The sandbox is on this machine: no proxy stands between.
  export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
  export no_proxy=$NO_PROXY
}

# Clones at ever new paths leave artefacts behind in CI's shared directory: it starts anew when it is large.
limit_cache() {
  in_ci && [[ -d "$target" ]] || return 0
  local used
  used=$(du -s --block-size=1G "$target" 2>/dev/null | cut -f 1)
  ((${used:-0} > MAX_CACHED_GIB)) || return 0
  say "$target has grown to $used GiB and starts anew"
  rm -rf "${target:?}"/{debug,release,doc}
}

finish() {
  local status=$?
  stop_sandbox
  rm -rf "$scratch"
  if ((status != 0)) && [[ -n "$step" ]]; then
    printf '\n%sFAILED: %s%s, after %s s\n' "$BOLD" "$step" "$RESET" "$((SECONDS - step_started))" >&2
  fi
}

steps=("$@")
((${#steps[@]} > 0)) || steps=("${ALL_STEPS[@]}")
for step in "${steps[@]}"; do
  [[ " ${ALL_STEPS[*]} " == *" $step "* ]] || {
    echo "error: no step is called '$step'; there are: ${ALL_STEPS[*]}" >&2
    exit 2
  }
done

step='' step_started=0 sandbox_pid='' sandbox_url='' tests_passed=0 tests_ignored=0
scratch=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step=setup
scripts/setup.sh
clear_environment
target=$(target_directory)
limit_cache
in_ci && note "builds go to $target"

for step in "${steps[@]}"; do
  step_started=$SECONDS
  say "$step"
  "step_$step"
  note "$step passed in $((SECONDS - step_started)) s"
done
step=''

echo
say "All steps passed in $SECONDS s: ${steps[*]}"
((tests_passed == 0)) || echo "tests: $tests_passed passed, 0 failed, $tests_ignored skipped"
