#!/usr/bin/env bash
# Asks a server, with something in it, whatever its document allows, and much that it doesn't: it answers as the document
# says, and never with an error of its own.
#
#   scripts/api/check.sh ATELIER SCHEMATHESIS [EXAMPLES]
#
# EXAMPLES are for each route, beside those at the edges of what is allowed; 12 make more than 2,000 cases.
set -euo pipefail

atelier=$1 schemathesis=$2 examples=${3:-12}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
server=
finish() {
  [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

export ATELIER_DATA_DIR="$folder/data" HOME="$folder"
"$atelier" library import "$here"/assets/library/{lighthouse-at-dusk-from-below,city-skyline-at-night}.jpg --tag sample --collection trips >/dev/null
"$atelier" projects add brand --finder "$here/assets/samples/finder.yml" >/dev/null
"$atelier" posts import "$here/assets/samples/posts.csv" --project brand >/dev/null 2>&1
"$atelier" images generate "a lamp" --count 1 --model sandbox >/dev/null 2>&1
"$atelier" serve --addr 127.0.0.1:0 --port-file "$folder/url" >/dev/null 2>"$folder/log" &
server=$!
for ((tries = 0; tries < 300; tries++)); do
  [[ -s "$folder/url" ]] && break
  sleep 0.1
done
url=$(<"$folder/url")
token=$("$atelier" tokens add check --scope read --scope write --scope spend --scope admin 2>/dev/null)

# Streams do not end.
"$schemathesis" run "$url/api/v1/openapi.json" -H "Authorization: Bearer $token" --exclude-path /api/v1/events \
  --phases examples,coverage,fuzzing --max-examples "$examples" --workers 2 --continue-on-failure --no-shrink \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --request-timeout 30 --warnings off
kill -0 "$server"
if grep -q panicked "$folder/log"; then
  cat "$folder/log"
  exit 1
fi
