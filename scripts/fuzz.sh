#!/usr/bin/env bash
# Fuzzes what reads providers' answers and users' files. Fails if a target finds an input that breaks a promise.
#
#   scripts/fuzz.sh                     every target, for FUZZ_SECONDS each (60 if unset)
#   scripts/fuzz.sh gemini openai       only these
#   scripts/fuzz.sh --build             builds the targets and runs none
#   scripts/fuzz.sh --replay TARGET FILE    one input again, such as one that was found
#
# It needs no nightly toolchain: the instrumentation is LLVM's, and libFuzzer comes from crates.io as source.
# There is no address sanitizer, which wants one, and would find little: our code has nothing unsafe in it.
# What is found to be new is kept in fuzz/corpus and is where the next run begins; an input that breaks
# something is kept in fuzz/artifacts.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly SECONDS_EACH=${FUZZ_SECONDS:-60}
# What libFuzzer wants to know of a program: which branches it takes, and what it compares.
readonly INSTRUMENTATION=(
  --cfg fuzzing
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
)
# No input that matters is longer, and short ones are mutated to more effect.
readonly LONGEST_INPUT=4096

build() {
  command -v c++ >/dev/null || give_up 'there is no C++ compiler, which libFuzzer is built with' \
    'install one: on Debian, apt-get install g++'
  # The same versions as everywhere else; cargo adds libFuzzer's own.
  if [[ ! -e fuzz/Cargo.lock || Cargo.lock -nt fuzz/Cargo.lock ]]; then
    cp Cargo.lock fuzz/Cargo.lock
  fi
  # With --target, build scripts and macros are built without the instrumentation.
  RUSTFLAGS="${INSTRUMENTATION[*]}" run cargo build --release --manifest-path fuzz/Cargo.toml --target "$host" --bins
}

# Runs one target and says what came of it. What libFuzzer prints is kept beside the corpus.
fuzz() {
  local target=$1 log=fuzz/corpus/$1.log file
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  say "$target, for $SECONDS_EACH s"
  if ! "$binaries/$target" -max_total_time="$SECONDS_EACH" -max_len="$LONGEST_INPUT" -timeout=10 -rss_limit_mb=2048 \
    -dict="fuzz/dictionaries/$target.dict" -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 \
    "fuzz/corpus/$target" "$scratch/$target" >"$log" 2>&1; then
    sed -n '/ panicked at /,/^stack backtrace:/p; /^==.*ERROR/p; /^SUMMARY/p' "$log" | grep -v '^stack backtrace:' | cut -c 1-600
    file=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    note "the whole of it is printed by: scripts/fuzz.sh --replay $target ${file:-FILE}"
    failed+=("$target")
  fi
  note "$(awk '
    / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1); else if ($i == "ft:") ft = $(i + 1) }
    /^stat::number_of_executed_units/ { runs = $2 }
    /^stat::average_exec_per_sec/ { rate = $2 }
    END { printf "%d inputs, %d a second; %d branches and %d features seen", runs, rate, cov, ft }' "$log")"
}

ALL_TARGETS=(fuzz/fuzz_targets/*.rs)
ALL_TARGETS=("${ALL_TARGETS[@]##*/}")
readonly ALL_TARGETS=("${ALL_TARGETS[@]%.rs}")
host=$(rustc -vV | sed -n 's/^host: //p')
binaries=$(cargo metadata --no-deps --offline --format-version 1 --manifest-path fuzz/Cargo.toml |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/$host/release
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

case ${1:-} in
  --build) build ;;
  --replay)
    (($# == 3)) || give_up 'a replay wants a target and a file'
    build
    RUST_BACKTRACE=1 "$binaries/$2" "$3"
    ;;
  *)
    targets=("$@")
    ((${#targets[@]} > 0)) || targets=("${ALL_TARGETS[@]}")
    for target in "${targets[@]}"; do
      [[ -f fuzz/fuzz_targets/$target.rs ]] || give_up "no target is called '$target'" "there are: ${ALL_TARGETS[*]}"
    done
    build
    python3 fuzz/seeds.py "$scratch"
    for target in "${targets[@]}"; do
      fuzz "$target"
    done
    ((${#failed[@]} == 0)) || {
      echo "error: inputs that break something were found for: ${failed[*]}; they are in fuzz/artifacts" >&2
      exit 1
    }
    say "Nothing was found in: ${targets[*]}"
    ;;
esac
