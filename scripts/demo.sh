#!/usr/bin/env bash
# Both jobs once, the whole way: sample posts to replies in replies.csv, and the sample library to images on two sides, on
# contact-sheet.html.
#
#   scripts/demo.sh                                            by the sandbox: no key, no network, no cost
#   MODEL=gemini:gemini-2.5-flash scripts/demo.sh              by a real model, with the key in GEMINI_API_KEY
#   MODEL=gemini:gemini-2.5-flash MAX_COST=0.10 scripts/demo.sh
#
# Images are made by the sandbox in any case. Everything it makes lies in demo-data/, replies.csv and contact-sheet.html,
# made anew each time.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly MODEL=${MODEL:-sandbox}
readonly MAX_COST=${MAX_COST:-0.50}

readonly PROMPT='a lighthouse keeper reading, evening light'
readonly SIDES=(sandbox:gemini-3.1-flash-image sandbox:gemini-2.5-flash-image)

# A free tier's quota, and a model that takes a second to begin and 8 ms for each token.
readonly REQUESTS_A_MINUTE=15
readonly LATENCY=1s
readonly PER_OUTPUT_TOKEN=8ms

# The samples were posted on one afternoon, and only recent posts are answered: the clock is set to that day.
readonly NOW=2026-11-20T12:00:00Z

scripts/setup.sh build
scripts/web.sh

say 'Building the release binary (the first time several minutes, on two cores a quarter of an hour; then seconds)'
run cargo build --release --locked -p atelier-cli
binary="$(target_directory)/release/atelier"
PATH="${binary%/*}:$PATH"

say 'A fresh data directory, so that the demo touches no data of yours'
run rm -rf demo-data replies.csv contact-sheet.html
run mkdir demo-data
run export ATELIER_DATA_DIR="$PWD/demo-data"

say 'A project: topics, voice and thresholds'
run atelier projects add sample --finder assets/samples/finder.yml

say 'Its posts'
run atelier posts import assets/samples/posts.csv --project sample

generate=(
  atelier replies generate --project sample --now "$NOW" --max-candidates 200 --model "$MODEL"
)
if [[ "$MODEL" == sandbox || "$MODEL" == sandbox:* ]]; then
  say "Drafting replies by the sandbox, which calls no model, under a free tier's quota: some seconds"
  quota="requests=$REQUESTS_A_MINUTE/60s"
  generate+=(
    --quota "$quota" --sandbox-quota "$quota"
    --sandbox-latency "$LATENCY" --sandbox-per-output-token "$PER_OUTPUT_TOKEN"
  )
  report=(--requests-a-minute "$REQUESTS_A_MINUTE" --latency "$LATENCY" --per-output-token "$PER_OUTPUT_TOKEN")
else
  say "Drafting replies by $MODEL, for at most \$$MAX_COST"
  generate+=(--max-cost "$MAX_COST")
  report=()
fi
generate+=(--json)

# What the program says while it works goes to the terminal; its summary is kept.
show "${generate[@]}" '>' demo-data/summary.json
status=0
"${generate[@]}" >demo-data/summary.json || status=$?
case $status in
  0) ;;
  1) note 'Some posts failed; the others are exported.' ;;
  5) note "It stopped at \$$MAX_COST; what was drafted until then is exported." ;;
  75) note 'It is parked until a limit resets; what was drafted until then is exported.' ;;
  *) exit "$status" ;;
esac

say 'Exporting them'
run atelier replies export --project sample --out replies.csv

python3 scripts/demo_report.py demo-data/summary.json replies.csv --binary "${binary#"$PWD/"}" "${report[@]}"

say 'The sample library: 170 pictures, searched by words and by look'
run atelier library samples

say 'Eight images on two sides, with references drawn from it, by the sandbox: made-up pictures, for nothing'
show atelier images generate "$PROMPT" --count 4 --model "${SIDES[0]}" --compare "${SIDES[1]}" '>' demo-data/images.json
atelier images generate "$PROMPT" --count 4 --model "${SIDES[0]}" --compare "${SIDES[1]}" --out demo-data/images --json \
  >demo-data/images.json
generation=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["generation"])' demo-data/images.json)
atelier images show "$generation" --json >demo-data/generation.json
python3 scripts/demo_sheet.py demo-data/generation.json assets/library demo-data/images contact-sheet.html

# Whoever watches may go on with all of it; a script is not asked.
if [[ -t 0 && -t 1 && -z "${CI:-}" ]]; then
  read -r -p 'Serve it now, with all that was made? [y/N] ' answer
  if [[ "$answer" == [yY]* ]]; then exec atelier serve; fi
fi
note "'make serve' serves it, with all that was made"
exit "$status"
