#!/usr/bin/env python3
"""What one builds in Python in an afternoon, on the library that examples/quality.rs and examples/million.rs left behind.

    peers.py quality DIRECTORY    rank_bm25, faiss-cpu, and both by reciprocal rank fusion: nDCG and latency
    peers.py vectors DIRECTORY    faiss-cpu and usearch: build, latency, recall under filters

It prints JSON.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import faiss
import numpy as np
from rank_bm25 import BM25Okapi
from usearch.index import Index as UsearchIndex

THREADS = 2
DEPTH = 200
K = 60

# Of a hundred images, how many a filter keeps.
KEPT = (100, 50, 10, 1)

Ranking = list[int]


def main() -> None:
    """Runs what the command line names."""
    step, directory = sys.argv[1], Path(sys.argv[2])
    faiss.omp_set_num_threads(THREADS)
    steps = {"quality": quality, "vectors": vectors}
    print(json.dumps(steps[step](directory), indent=1))


def tokens(text: str) -> list[str]:
    """Words as most do it: lower case, letters and digits."""
    return re.findall(r"\w+", text.lower())


def read_vectors(path: Path, dimensions: int = 384) -> np.ndarray:
    """Vectors of f32."""
    return np.fromfile(path, "<f4").reshape(-1, dimensions)


# --- How good ----------------------------------------------------------------------------------------------


def quality(directory: Path) -> dict[str, object]:
    """nDCG@10 and latency of each peer on the judged queries. The embedding of the query is not timed."""
    documents = [json.loads(line) for line in (directory / "documents.jsonl").open()]
    ids = [document["id"] for document in documents]
    judged = [json.loads(line) for line in (directory / "queries.jsonl").open()]
    queries = read_vectors(directory / "queries.f32")
    started = time.perf_counter()
    bm25 = BM25Okapi([tokens(document["text"]) for document in documents])
    text, look = (flat(read_vectors(directory / name)) for name in ("text.f32", "look.f32"))
    built = time.perf_counter() - started

    def by_words(number: int) -> Ranking:
        scores = bm25.get_scores(tokens(judged[number]["query"]))
        best = np.argpartition(-scores, DEPTH)[:DEPTH]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [int(row) for row in best if scores[row] > 0]

    def nearest(index: faiss.Index, number: int) -> Ranking:
        _, rows = index.search(queries[number : number + 1], DEPTH)
        return [int(row) for row in rows[0]]

    def fused(number: int) -> Ranking:
        return fuse([by_words(number), nearest(text, number), nearest(look, number)])

    ways: dict[str, Callable[[int], Ranking]] = {
        "rank_bm25": by_words,
        "faiss-cpu, text": lambda number: nearest(text, number),
        "rank_bm25 + faiss-cpu, RRF": fused,
    }
    results: dict[str, object] = {"build_s": built}
    for name, way in ways.items():
        scores, took = [], []
        for number, query in enumerate(judged):
            started = time.perf_counter()
            rows = way(number)[:10]
            took.append(time.perf_counter() - started)
            scores.append(ndcg(query["relevant"], [ids[row] for row in rows]))
        results[name] = {"ndcg@10": fmean(scores), "p50_ms": percentile(took, 0.5), "p95_ms": percentile(took, 0.95)}
    return results


def flat(rows: np.ndarray) -> faiss.Index:
    """An exact index of these rows."""
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index


def fuse(rankings: list[Ranking]) -> Ranking:
    """Plain reciprocal rank fusion."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + 1 / (K + rank)
    return sorted(scores, key=lambda row: -scores[row])


def ndcg(relevant: dict[str, float], found: list[str]) -> float:
    """As Atelier's evaluation defines it: a gain of 2^grade - 1, a discount of log2(1 + rank), the first ten."""

    def gain(grades: list[float]) -> float:
        return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:10], 1))

    return gain([relevant.get(one, 0.0) for one in found]) / gain(sorted(relevant.values(), reverse=True))


# --- How fast and how right under filters -------------------------------------------------------------------


def vectors(directory: Path) -> dict[str, object]:
    """Build time, latency and recall@10 of each peer, with filters that keep the images whose number ends so."""
    rows = read_vectors(directory / "text.f32")
    queries = read_vectors(directory / "probes.f32")
    numbers = np.arange(len(rows))
    truth = {kept: exact(rows, queries, numbers % 100 < kept) for kept in KEPT}
    results: dict[str, object] = {"images": len(rows)}
    for name, build in (("faiss-cpu flat", faiss_flat), ("faiss-cpu IVF", faiss_ivf), ("faiss-cpu HNSW", faiss_hnsw)):
        started = time.perf_counter()
        index, parameters = build(rows)
        built = time.perf_counter() - started
        results[name] = measure(built, queries, truth, faiss_search(index, parameters, numbers))
    started = time.perf_counter()
    graph = UsearchIndex(ndim=rows.shape[1], metric="ip", dtype="f16")
    graph.add(numbers, rows, threads=THREADS)
    built = time.perf_counter() - started
    results["usearch"] = measure(built, queries, truth, usearch_search(graph))
    return results


Search = Callable[[np.ndarray, int], np.ndarray]


def exact(rows: np.ndarray, queries: np.ndarray, kept: np.ndarray) -> list[set[int]]:
    """The ten nearest of the rows that are kept, by comparing all."""
    (left,) = kept.nonzero()
    _, found = flat(rows[left]).search(queries, 10)
    return [{int(left[row]) for row in one} for one in found]


def faiss_flat(rows: np.ndarray) -> tuple[faiss.Index, Callable[..., faiss.SearchParameters]]:
    """All rows, compared."""
    return flat(rows), faiss.SearchParameters


def faiss_ivf(rows: np.ndarray) -> tuple[faiss.Index, Callable[..., faiss.SearchParameters]]:
    """Lists as many as ours, of which a tenth is read."""
    lists = math.isqrt(len(rows))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.train(rows[:: max(1, len(rows) // (lists * 48))])
    index.add(rows)

    def parameters(**chosen: object) -> faiss.SearchParameters:
        return faiss.SearchParametersIVF(nprobe=max(1, lists // 10), **chosen)

    return index, parameters


def faiss_hnsw(rows: np.ndarray) -> tuple[faiss.Index, Callable[..., faiss.SearchParameters]]:
    """A graph."""
    index = faiss.IndexHNSWFlat(rows.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 128
    index.add(rows)

    def parameters(**chosen: object) -> faiss.SearchParameters:
        return faiss.SearchParametersHNSW(efSearch=128, **chosen)

    return index, parameters


def faiss_search(index: faiss.Index, parameters: Callable[..., faiss.SearchParameters], numbers: np.ndarray) -> Search:
    """A search under a filter, as faiss has it."""
    selected = {kept: faiss.IDSelectorBitmap(np.packbits(numbers % 100 < kept, bitorder="little")) for kept in KEPT}

    def search(query: np.ndarray, kept: int) -> np.ndarray:
        chosen = {} if kept == 100 else {"sel": selected[kept]}
        return index.search(query[None], 10, params=parameters(**chosen))[1][0]

    return search


def usearch_search(graph: UsearchIndex) -> Search:
    """A search under a filter: the binding for Python has none, so more are asked for and the rest is thrown away."""

    def search(query: np.ndarray, kept: int) -> np.ndarray:
        found = graph.search(query, min(10 * 100 // kept, 1000), threads=1).keys.astype(np.int64)
        return found[found % 100 < kept][:10]

    return search


def measure(built: float, queries: np.ndarray, truth: dict[int, list[set[int]]], search: Search) -> dict[str, object]:
    """Latency and recall of one peer under each filter."""
    result: dict[str, object] = {"build_s": built}
    for kept in KEPT:
        right, took = 0, []
        for query, expected in zip(queries, truth[kept], strict=True):
            started = time.perf_counter()
            found = search(query, kept)
            took.append(time.perf_counter() - started)
            right += len(expected & {int(row) for row in found})
        recall = right / (10 * len(queries))
        result[f"{kept} %"] = {"recall@10": recall, "p50_ms": percentile(took, 0.5), "p95_ms": percentile(took, 0.95)}
    return result


def percentile(seconds: list[float], share: float) -> float:
    """A percentile, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[int((len(ordered) - 1) * share)] * 1000


if __name__ == "__main__":
    main()
