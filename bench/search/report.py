"""The measurements of the search as a report in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What must be reached, on two cores.
BARS = {
    "latency with embedding, p95": 30.0,
    "query, p50": 15.0,
    "query, p95": 40.0,
    "recall": 0.95,
    "memory": 3072,
    "open": 5.0,
    "silent": 0.95,
    "lost": 0.03,
}

KINDS = ("literal", "paraphrase", "name", "typo", "korean")


def markdown(about: dict[str, str], measured: dict[str, Any], *, quick: bool) -> str:
    """The whole report."""
    sizes = measured["sizes"]
    lines = ["# The search, measured", "", "By `bench/search/run.py`; [its README](../search/README.md) says how.", ""]
    if quick:
        lines += ["**A quick run: the sizes are smaller than those of the bars.**", ""]
    lines += table(["", ""], [[name, text] for name, text in about.items() if text])
    lines += ["", "Times are medians and percentiles over the queries; whatever else the machine does is in them.", ""]
    lines += table(["figure", "reached", "bar", "holds"], bars(measured))
    lines += ["", f"## How good, at {sizes['quality']:,} images", "", *quality(measured)]
    lines += ["", f"## Speed, at {sizes['large']:,} images", "", *speed(measured["large"])]
    lines += ["", f"## Recall of the vector stages, at {sizes['large']:,} images", "", *recall(measured["large"])]
    lines += ["", f"## Vectors beside the peers, at {sizes['peers']:,} images", "", *beside(measured)]
    return "\n".join(lines).rstrip() + "\n"


def bars(measured: dict[str, Any]) -> list[list[str]]:
    """What was to be reached."""
    good, large = measured["quality"], measured["large"]["measure"]
    all_stages = large["searches"]["words, text and look, all"]["ms"]
    worst = min(large["recall"].items(), key=lambda item: item[1]["recall@10"])
    silence = good["silence"]
    ahead = good["ranking"]
    own = ahead["lexical text look"]["metrics"]["ndcg@10"]["mean"]
    best_alone = max(ahead[stage]["metrics"]["ndcg@10"]["mean"] for stage in ("lexical", "text", "look", "text look"))
    rows = [
        ("latency with embedding, p95", good["latency_with_embedding_ms"]["p95"], "ms", True),
        ("query, p50", all_stages["p50"], "ms", True),
        ("query, p95", all_stages["p95"], "ms", True),
        ("open", large["open_s"], "s", True),
        ("memory", large["memory_mb"]["VmRSS"], "MB", True),
        ("recall", worst[1]["recall@10"], f"(the worst: {worst[0]})", False),
        ("silent", silence["silent"], f"of {silence['absent']} absent queries", False),
        ("lost", silence["lost"], f"of {silence['judged']} judged queries", True),
    ]
    names = {
        "latency with embedding, p95": f"a query with its embedding, {good['images']:,} images, p95",
        "query, p50": f"a query by words, text and look, {large['images']:,} images, p50",
        "query, p95": "the same, p95",
        "open": "opening it",
        "memory": "memory of the process that searches it, file pages included",
        "recall": "recall@10 of each vector stage against exact search, under every filter",
        "silent": "nothing is shown for what is not there",
        "lost": "judged queries that lose their answers to the cut-offs",
    }
    shown = [
        [names[key], f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}",
         f"{'≤' if below else '≥'} {BARS[key]:g}", yes(value <= BARS[key] if below else value >= BARS[key])]
        for key, value, unit, below in rows
    ]
    return [*shown, ["nDCG@10 of all stages together", f"{own:.3f}", f"> {best_alone:.3f}, the best alone", yes(own > best_alone)]]


def quality(measured: dict[str, Any]) -> list[str]:
    """Rankings, ours and theirs, on the same queries."""
    rows = []
    for stages, result in measured["quality"]["ranking"].items():
        metrics, kinds = result["metrics"], result["ndcg@10_by_kind"]
        ndcg = metrics["ndcg@10"]
        rows.append([
            f"Atelier: {stages.replace(' ', ' + ')}",
            f"{ndcg['mean']:.3f} ({ndcg['low']:.3f} to {ndcg['high']:.3f})",
            f"{metrics['mrr']['mean']:.3f}",
            f"{metrics['recall@10']['mean']:.3f}",
            *(f"{kinds[kind] + 0.0:.2f}" for kind in KINDS),
        ])
    for name, result in measured["quality_peers"].items():
        if isinstance(result, dict):
            rows.append([name, f"{result['ndcg@10']:.3f}", "", "", *("" for _ in KINDS)])
    took = measured["quality"]["latency_with_embedding_ms"]
    lines = table(["", "nDCG@10 (95 %)", "MRR", "recall@10", *KINDS], rows)
    lines += ["", "A query's time; Atelier's holds the embedding of the query, the peers' do not.", ""]
    times = [["Atelier, all stages and the embedding", f"{took['p50']:.1f} ms", f"{took['p95']:.1f} ms"]]
    for name, result in measured["quality_peers"].items():
        if isinstance(result, dict):
            times.append([name, f"{result['p50_ms']:.1f} ms", f"{result['p95_ms']:.1f} ms"])
    return [*lines, *table(["", "p50", "p95"], times)]


def speed(large: dict[str, Any]) -> list[str]:
    """Latency of each kind of query under each filter."""
    searches = large["measure"]["searches"]
    filters = list(dict.fromkeys(name.rsplit(", ", 1)[1] for name in searches))
    kinds = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in searches))
    cell = "{p50:.1f} / {p95:.1f}".format_map
    rows = [[kind, *(cell(searches[f"{kind}, {kept}"]["ms"]) for kept in filters)] for kind in kinds]
    lines = table(["p50 / p95 in ms", *(f"filter keeps {kept}" for kept in filters)], rows)
    build, measure = large["build"], large["measure"]
    small, memory = build["one_image_to_findable_ms"], measure["memory_mb"]
    first = searches["words, text and look, all"]["first_ms"]
    return [
        *lines,
        "",
        f"- The first {100} queries of a process, which read what is not mapped yet: {cell(first)} ms.",
        f"- Built in {build['load_s']:.0f} s and {build['merge_and_lists_s']:.0f} s of merging and sorting into lists;"
        f" {build['index_mb']:,} MB on disk.",
        f"- One more image is findable after {small['p50']:.0f} ms (p95 {small['p95']:.0f} ms).",
        f"- Memory after all these queries: {memory['VmRSS']:,} MB, of which {memory['RssAnon']:,} MB are the process's"
        f" own and {memory['RssFile']:,} MB are pages of files, which the system takes back when it needs them.",
    ]


def recall(large: dict[str, Any]) -> list[str]:
    """Recall of each space under each filter."""
    rows = [
        [name, f"{result['recall@10']:.3f}", f"{result['compared']:,}"]
        for name, result in large["measure"]["recall"].items()
    ]
    note = (
        "Appearance is kept in eight bits a number, the other spaces in sixteen: "
        "what it misses where all vectors are compared is that."
    )
    return [*table(["space, filter keeps", "recall@10", "vectors compared"], rows), "", note]


def beside(measured: dict[str, Any]) -> list[str]:
    """Vectors of text alone: ours and theirs."""
    own = measured["peers"]["measure"]
    build = measured["peers"]["build"]
    filters = {"100 %": "all", "50 %": "50 %", "10 %": "10 %", "1 %": "1 %"}
    cells = [
        f"{own['recall'][f'text, {kept}']['recall@10']:.3f} / {own['searches'][f'text, {kept}']['ms']['p50']:.1f}"
        for kept in filters.values()
    ]
    rows = [["Atelier", f"{build['load_s'] + build['merge_and_lists_s']:.0f} s (three spaces and words)", *cells]]
    for name, result in measured["vector_peers"].items():
        if isinstance(result, dict):
            cells = [f"{result[kept]['recall@10']:.3f} / {result[kept]['p50_ms']:.1f}" for kept in filters]
            rows.append([name, f"{result['build_s']:.0f} s", *cells])
    return table(["recall@10 / p50 in ms", "built in", *(f"filter keeps {kept}" for kept in filters)], rows)


def yes(holds: bool) -> str:
    """Whether a bar is reached."""
    return "yes" if holds else "**no**"


def table(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    """A table in Markdown."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return [line(header), "|" + "---|" * len(header), *map(line, rows)]
