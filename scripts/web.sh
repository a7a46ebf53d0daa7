#!/usr/bin/env bash
# Builds the web studio into web/dist, from where the server takes it when it is compiled.
#
#   scripts/web.sh          builds it
#   scripts/web.sh check    checks types, style, units and the size of its first load, too
#
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What a page loads before it can be used, in bytes, packed.
readonly MOST_SCRIPT=250000 MOST_STYLE=35000

npm_run() {
  npm --prefix web run --silent "$@"
}

# The packages, installed anew when the list of them or the Node has changed.
install_packages() {
  local stamp
  stamp="$(node --version) $(sha256sum <web/package-lock.json)"
  if [[ -f web/node_modules/.stamp && "$(<web/node_modules/.stamp)" == "$stamp" ]]; then
    return
  fi
  run npm ci --silent --prefix web
  echo "$stamp" >web/node_modules/.stamp
}

# Packed sizes of what index.html names.
check_first_load() {
  local kind most bytes file
  for kind in js css; do
    bytes=0
    most=$([[ $kind == js ]] && echo "$MOST_SCRIPT" || echo "$MOST_STYLE")
    for file in $(grep -o "assets/[^\"]*\\.$kind" web/dist/index.html | sort -u); do
      bytes=$((bytes + $(stat -c %s "web/dist/$file.gz")))
    done
    note "first load, .$kind: $bytes of $most bytes"
    if ((bytes == 0 || bytes > most)); then
      echo "error: the first load is to have at most $most bytes of .$kind, and something" >&2
      return 1
    fi
  done
}

install_packages
run npm_run api >/dev/null
if [[ "${1:-}" == check ]]; then
  run npm_run types
  run npm_run lint
  run npm_run test -- src
fi
# What has not changed stays as it is: nothing is compiled anew for a file that was written again.
run npm_run build -- --outDir dist.new --emptyOutDir --logLevel warn
if diff -rq web/dist.new web/dist >/dev/null 2>&1; then
  rm -rf web/dist.new
else
  rm -rf web/dist
  mv web/dist.new web/dist
fi
check_first_load
