"""Drafting replies: what packing makes of a limit on requests."""

from __future__ import annotations

import json
from pathlib import Path

from .. import ideal
from ..bench import ROOT, Bench, Case, PeerRun
from ..engine import MODEL, Engine, Finished, Run
from ..recorder import Exchange, Recorder
from ..result import Broken, Figure, Result, Row
from ..terminal import Terminal
from . import quota

SAMPLES = ROOT / "assets" / "samples"
# The samples were posted on one afternoon, and only recent posts are answered: as `make demo` has it.
NOW = "2026-11-20T12:00:00Z"
POSTS = 100
AMOUNT, WINDOW = 15, 60.0
LIMIT = ("--quota", f"requests={AMOUNT}/{WINDOW:.0f}s")
LATENCY, PER_TOKEN = 1.0, 0.008
SLOW = ("--latency", f"{LATENCY:.0f}s", "--per-output-token", f"{PER_TOKEN * 1000:.0f}ms")


def draft(engine: Engine, *flags: str) -> Finished:
    """Has replies drafted for the sample posts, in a new project."""
    with start_drafting(engine, *flags) as run:
        return drafted(run)


def start_drafting(engine: Engine, *flags: str, on: Terminal | None = None) -> Run:
    """Starts that."""
    engine.ask("projects", "add", "sample", "--finder", SAMPLES / "finder.yml")
    engine.ask("posts", "import", SAMPLES / "posts.csv", "--project", "sample")
    arguments = ("--project", "sample", "--now", NOW, "--max-candidates", "200", "--model", MODEL, "--json")
    return engine.start("replies", "generate", *arguments, *flags, on=on)


def drafted(run: Run) -> Finished:
    """Waits for its end. Raises Broken where a post has no drafts."""
    finished = run.wait(600).expect()
    if finished.summary["drafted"] != POSTS:
        raise Broken(f"{finished.summary['drafted']} of {POSTS} posts were drafted")
    return finished


def posts(bench: Bench) -> Result:
    """All the posts that pass, as `make demo` has them drafted."""
    folder = bench.folder("posts")
    with bench.sandbox(folder, *LIMIT, *SLOW) as sandbox:
        finished = draft(bench.engine(folder, sandbox), *LIMIT)
        stats = sandbox.stats()
    tokens = stats.output_tokens
    alone = one_a_call(tokens / POSTS)
    return Result(
        figures=[
            Figure("time of the command", finished.seconds, 20, unit="s"),
            Figure("refusals", stats.refused, 0),
        ],
        rows=[Row("Atelier", {"time, s": finished.seconds, "time / ideal": finished.seconds / alone,
                              "refusals": stats.refused, "lost": 0})],
        notes=[
            f"{stats.admitted} calls for {POSTS} posts, {tokens:,} tokens out; embedding and scoring them is in the "
            f"time; ideal: one post a call, {alone:.0f} s"
        ],
    )


def one_a_call(tokens: float) -> float:
    """The least time with a call for each post, whose answer has so many tokens."""
    return ideal.windowed(POSTS, AMOUNT, WINDOW, LATENCY + PER_TOKEN * tokens)


def posts_peers(bench: Bench) -> list[PeerRun]:
    """The peers, each asking exactly what the engine asks where it packs nothing."""
    folder = bench.folder("posts-peers")
    with bench.sandbox(folder) as sandbox, Recorder(sandbox.url) as recorder:
        draft(bench.engine(folder, recorder), "--pack", "off")
        tokens = sandbox.stats().output_tokens / POSTS
        asked = [exchange for exchange in recorder.exchanges if exchange.body]
    prompts = write_posts(folder / "in.jsonl", asked)
    told = quota.batch_llm_told(AMOUNT, WINDOW)
    least = one_a_call(tokens)
    return [
        PeerRun("async-batch-llm", "batch_llm.py", told, prompts, POSTS, (*LIMIT, *SLOW), least, None),
        PeerRun("semaphore and gather", "gather.py", ("--concurrency", str(AMOUNT)), prompts, POSTS,
                (*LIMIT, *SLOW), least, None),
    ]


def write_posts(path: Path, asked: list[Exchange]) -> Path:
    """Writes what was asked as the peers read it: a prompt, and what Google's client calls its config."""
    with path.open("w") as file:
        for number, exchange in enumerate(asked):
            body = json.loads(exchange.body)
            config = dict(body.get("generationConfig", {}))
            if "systemInstruction" in body:
                config["systemInstruction"] = body["systemInstruction"]["parts"][0]["text"]
            prompt = body["contents"][0]["parts"][0]["text"]
            file.write(json.dumps({"id": str(number), "prompt": prompt, "config": config}) + "\n")
    return path


CASES = (
    Case("posts", f"100 posts, {AMOUNT} requests / {WINDOW:.0f} s, 1 s and 8 ms an output token", posts, True,
         posts_peers),
)
