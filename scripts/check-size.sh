#!/usr/bin/env bash
# Checks what keeps this code readable and the clone small:
#   - a source file has at most 400 lines, blank ones and its unit tests aside (test files have no limit);
#   - an exception stands in scripts/size-exceptions.txt with its reason, and goes when it is not needed;
#   - nothing is left open in the code: no to-do macro, no FIX-ME;
#   - no file has more than 2 MB, the models in assets/models aside.
# Functions have at most 80 lines: clippy checks that (clippy.toml).
#
#   scripts/check-size.sh [DIRECTORY]    checks this repository, or the files of another directory
#
# shellcheck source-path=SCRIPTDIR
here=$PWD
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if (($# > 0)); then
  cd "$here"
  cd "$1"
fi

readonly MAX_LINES=400 MAX_BYTES=2000000
readonly EXCEPTIONS=scripts/size-exceptions.txt

# Every file that is or would be committed; in a directory without git, every file but what is built.
list_files() {
  git -c core.quotePath=off ls-files --cached --others --exclude-standard 2>/dev/null ||
    find . \( -name target -o -name node_modules -o -name .git -o -name demo-data \) -prune -o -type f -print | sed 's|^\./||'
}

# Lines that count: not blank, and not of an item that is for tests only. Such an item ends where a line begins with its
# closing bracket, or on its own line.
count_lines() {
  awk '
    /^#\[cfg\(test\)\]/ { skipping = 1; next }
    skipping == 1 && /^#\[/ { next }
    skipping == 1 { skipping = /;[[:space:]]*$/ || /^[^{]*$/ && /;/ || /\{.*\}[[:space:]]*$/ ? 0 : 2; next }
    skipping == 2 { if (/^[})\]]/) skipping = 0; next }
    /[^[:space:]]/ { n++ }
    END { print n + 0 }' "$1"
}

# The limit of a file: that of its exception, or the usual one.
limit_of() {
  [[ -f "$EXCEPTIONS" ]] || { echo "$MAX_LINES"; return; }
  awk -v file="$1" -v usual="$MAX_LINES" \
    '$1 == file { usual = $2 } END { print usual }' "$EXCEPTIONS"
}

failures=0
fail() {
  printf 'error: %s\n' "$*" >&2
  failures=$((failures + 1))
}

check_lines() {
  local file=$1 lines limit
  lines=$(count_lines "$file")
  limit=$(limit_of "$file")
  if ((lines > limit)); then
    fail "$file has $lines lines, $limit is the limit: split it where its parts have names of their own"
  elif ((limit > MAX_LINES && lines <= MAX_LINES)); then
    fail "$file has $lines lines and needs no exception any more: take it out of $EXCEPTIONS"
  fi
}

check_nothing_left_open() {
  local file=$1 found
  found=$(grep -nE '\b(todo|unimplemented)!|\b(FIX''ME|XX''X)\b' "$file" | head -n 3) || return 0
  fail "$file leaves something open: $found"
}

# An exception names a file that is there, a limit, and a reason.
check_exceptions() {
  [[ -f "$EXCEPTIONS" ]] || return 0
  local file limit reason
  while read -r file limit reason; do
    [[ -n "$file" && "$file" != '#'* ]] || continue
    [[ -f "$file" ]] || fail "$EXCEPTIONS names $file, which is not there"
    [[ "$limit" =~ ^[0-9]+$ && -n "$reason" ]] || fail "$EXCEPTIONS: $file needs a limit and a reason"
  done <"$EXCEPTIONS"
}

check_exceptions
sources=0
while read -r file; do
  [[ -f "$file" ]] || continue # deleted, and not committed yet
  bytes=$(wc -c <"$file")
  if ((bytes > MAX_BYTES)) && [[ "$file" != assets/models/* ]]; then
    fail "$file has $bytes bytes, $MAX_BYTES is the limit outside assets/models"
  fi
  case $file in
    *.rs | *.ts | *.tsx | *.py | *.sh | .ci/run)
      sources=$((sources + 1))
      check_nothing_left_open "$file"
      ;;&
    tests/* | */tests/* | */tests.rs | *_tests.rs | */benches/* | */generated/* | *.test.* | *.spec.* | *.gen.*) ;;
    *.rs | *.ts | *.tsx | *.py | *.sh)
      check_lines "$file"
      ;;
  esac
done < <(list_files)

((failures == 0)) || exit 1
((sources > 0)) || { echo "error: no source file found in $PWD" >&2; exit 1; }
echo "size: $sources source files keep the limits"
