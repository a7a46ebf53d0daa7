"""How completely a quota is spent: limits that are told, that have to be found, and that are shared."""

from __future__ import annotations

from contextlib import ExitStack

from .. import ideal
from ..bench import Bench, Case, PeerRun
from ..prompts import check_answers, write_prompts
from ..result import Broken, Figure, Result, Row
from ..sandbox import Sandbox, Stats

LATENCY = 1.0
WINDOW = 10.0
AMOUNT = 15
BURST = ("--quota", f"requests={AMOUNT}/{WINDOW:.0f}s")
SLOW = ("--latency", f"{LATENCY:.0f}s")
# What an input-token limit is counted in.
BYTES_A_TOKEN = 4


def attainment(bench: Bench) -> Result:
    """All prompts under a limit that the engine is told."""
    items = bench.size(150, 40)
    least = ideal.windowed(items, AMOUNT, WINDOW, LATENCY)
    return told_limit(bench, "quota", items, 0, BURST, least, 1.02)


def tokens(bench: Bench) -> Result:
    """The same where input tokens are what binds. A limit on requests is there too, and has room."""
    items, size = bench.size(120, 40), 400
    amount = AMOUNT * (size // BYTES_A_TOKEN) + size // BYTES_A_TOKEN // 2
    limits = ("--quota", f"input_tokens={amount}/{WINDOW:.0f}s", "--quota", f"requests={4 * AMOUNT}/{WINDOW:.0f}s")
    least = ideal.windowed(items, AMOUNT, WINDOW, LATENCY)
    return told_limit(bench, "tokens", items, size, limits, least, 1.05)


def told_limit(
    bench: Bench, name: str, items: int, size: int, limits: tuple[str, ...], least: float, bar: float
) -> Result:
    """A run whose limits are both the sandbox's and the engine's."""
    folder = bench.folder(name)
    with bench.sandbox(folder, *limits, *SLOW) as sandbox:
        engine = bench.engine(folder, sandbox)
        prompts, out = write_prompts(folder / "in.jsonl", name, items, size), folder / "out.jsonl"
        with engine.answer(prompts, out, *limits) as run:
            finished = run.wait(4 * least + 60).expect()
        stats = sandbox.stats()
    expect_all(check_answers(out, name, items).fault)
    took = ideal.span(stats.all_arrivals(), LATENCY)
    result = Result(figures=[
        Figure("time of the calls / ideal", took / least, bar),
        Figure("refusals", stats.refused, 0),
    ])
    result.rows.append(row("Atelier", took, least, stats.refused, 0))
    if name == "quota":
        result.curves["Atelier"], result.limit = curve(stats), (AMOUNT, WINDOW)
    most = ideal.most_in_a_window(stats.all_arrivals(), WINDOW)
    result.notes.append(
        f"{items} calls in {took:.2f} s, ideal {least:.2f} s; at most {most} arrivals in any {WINDOW:.0f} s; "
        f"the whole command took {finished.seconds:.2f} s"
    )
    return result


def attainment_peers(bench: Bench) -> list[PeerRun]:
    """The peers under the limit of `attainment`, which each is told as far as it can be."""
    items = bench.size(150, 40)
    least = ideal.windowed(items, AMOUNT, WINDOW, LATENCY)
    prompts = write_prompts(bench.folder("quota-peers") / "in.jsonl", "quota", items)
    told = batch_llm_told(AMOUNT, WINDOW)
    return [
        PeerRun("async-batch-llm", "batch_llm.py", told, prompts, items, (*BURST, *SLOW), least, LATENCY),
        PeerRun("semaphore and gather", "gather.py", ("--concurrency", str(AMOUNT)), prompts, items,
                (*BURST, *SLOW), least, LATENCY),
    ]


def batch_llm_told(amount: int, window: float) -> tuple[str, ...]:
    """What serves async-batch-llm best under a limit that is known.

    Evenly spaced, as its bursts are refilled while they are spent and would pass a sliding window; and 2 % below
    the limit, as any jitter would pass it too, and a refusal costs it more.
    """
    return ("--requests-a-minute", str(0.98 * amount * 60 / window), "--burst-seconds", str(window / amount))


UNKNOWN_AMOUNT, UNKNOWN_WINDOW = 30, 60.0
UNKNOWN = ("--quota", f"requests={UNKNOWN_AMOUNT}/{UNKNOWN_WINDOW:.0f}s")


def unknown_size(bench: Bench) -> tuple[int, float]:
    """Items and ideal time of `unknown`. The window is a minute also in a quick run: refusals name no other."""
    items = bench.size(3 * UNKNOWN_AMOUNT, 2 * UNKNOWN_AMOUNT)
    return items, ideal.windowed(items, UNKNOWN_AMOUNT, UNKNOWN_WINDOW, LATENCY)


def unknown(bench: Bench) -> Result:
    """Limits that the engine has to find, by what refusals say and by what they leave out; side by side."""
    items, least = unknown_size(bench)
    result = Result(limit=(UNKNOWN_AMOUNT, UNKNOWN_WINDOW))
    with ExitStack() as stack:
        runs = []
        for hints, what in (("full", "told which"), ("delay", "not told which"), ("none", "told nothing")):
            folder = bench.folder(f"unknown-{hints}")
            sandbox = stack.enter_context(bench.sandbox(folder, *UNKNOWN, *SLOW, "--hints", hints))
            prompts = write_prompts(folder / "in.jsonl", "unknown", items)
            run = stack.enter_context(bench.engine(folder, sandbox).answer(prompts, folder / "out.jsonl"))
            runs.append((what, folder, sandbox, run))
        for what, folder, sandbox, run in runs:
            run.wait(6 * least + 60).expect()
            expect_all(check_answers(folder / "out.jsonl", "unknown", items).fault)
            judge_learning(result, what, sandbox, least)
    result.notes.append(
        "told which: the refusal names the limit and the wait; not told which: the wait alone; told nothing: neither"
    )
    return result


def judge_learning(result: Result, what: str, sandbox: Sandbox, least: float) -> None:
    """The figures of one run that had to find the limit."""
    stats = sandbox.stats()
    took = ideal.span(stats.all_arrivals(), LATENCY)
    half = min(stats.arrivals) + took / 2
    late = sum(at > half for at in stats.refusals)
    result.figures += [
        Figure(f"{what}: time / ideal", took / least, 1.25),
        Figure(f"{what}: refusals", stats.refused, 10),
        Figure(f"{what}: refusals in the second half", late, 0),
    ]
    result.rows.append(row(f"Atelier, {what}", took, least, stats.refused, 0))
    result.curves[f"Atelier, {what}"] = curve(stats)


def unknown_peers(bench: Bench) -> list[PeerRun]:
    """The peers under a limit that they are not told, with all that refusals can say."""
    items, least = unknown_size(bench)
    prompts = write_prompts(bench.folder("unknown-peers") / "in.jsonl", "unknown", items)
    flags = ("--concurrency", str(UNKNOWN_AMOUNT))
    return [
        PeerRun(who, script, flags, prompts, items, (*UNKNOWN, *SLOW), least, LATENCY)
        for who, script in (("async-batch-llm", "batch_llm.py"), ("semaphore and gather", "gather.py"))
    ]


def shared(bench: Bench) -> Result:
    """Two processes on one store, with files of their own and one limit."""
    each = bench.size(60, 20)
    folder = bench.folder("shared")
    least = ideal.windowed(2 * each, AMOUNT, WINDOW, LATENCY)
    with bench.sandbox(folder, *BURST, *SLOW) as sandbox, ExitStack() as stack:
        engine = bench.engine(folder, sandbox)
        runs = {}
        for name in ("left", "right"):
            prompts = write_prompts(folder / f"{name}.jsonl", name, each)
            runs[name] = stack.enter_context(engine.answer(prompts, folder / f"{name}-out.jsonl", *BURST))
        for name, run in runs.items():
            run.wait(4 * least + 60).expect()
            expect_all(check_answers(folder / f"{name}-out.jsonl", name, each).fault)
        stats = sandbox.stats()
    took = ideal.span(stats.all_arrivals(), LATENCY)
    most = ideal.most_in_a_window(stats.arrivals, WINDOW)
    return Result(
        figures=[Figure("time of all calls / ideal", took / least, 1.05), Figure("refusals", stats.refused, 0)],
        notes=[f"2 x {each} calls in {took:.2f} s, ideal {least:.2f} s; at most {most} arrivals in any {WINDOW:.0f} s"],
    )


def even(bench: Bench) -> Result:
    """A provider that refuses bursts within its limit, which the engine is told as usual."""
    items = bench.size(90, 24)
    folder = bench.folder("even")
    least = ideal.paced(items, AMOUNT, WINDOW, LATENCY)
    with bench.sandbox(folder, *BURST, *SLOW, "--pacing", "even") as sandbox:
        prompts, out = write_prompts(folder / "in.jsonl", "even", items), folder / "out.jsonl"
        with bench.engine(folder, sandbox).answer(prompts, out, *BURST) as run:
            run.wait(6 * least + 60).expect()
        stats = sandbox.stats()
    expect_all(check_answers(out, "even", items).fault)
    took = ideal.span(stats.all_arrivals(), LATENCY)
    when = ", ".join(f"{at - min(stats.arrivals):.1f}" for at in stats.refusals[:12]) or "none"
    return Result(
        figures=[Figure("time of the calls / ideal", took / least, 1.10), Figure("refusals", stats.refused, 5)],
        notes=[f"{items} calls in {took:.2f} s, ideal {least:.2f} s; refusals at (s): {when}"],
    )


def expect_all(fault: str | None) -> None:
    """Raises Broken where something is wrong with the answers."""
    if fault:
        raise Broken(fault)


def curve(stats: Stats) -> list[float]:
    """When calls were let in, from the first on."""
    first = min(stats.arrivals)
    return sorted(at - first for at in stats.arrivals)


def row(who: str, took: float, least: float, refusals: int, lost: int) -> Row:
    """A row of the comparisons under a quota."""
    return Row(who, {"time, s": took, "time / ideal": took / least, "refusals": refusals, "lost": lost})


CASES = (
    Case("quota", f"150 prompts, {AMOUNT} requests / {WINDOW:.0f} s, 1 s latency, one an item", attainment, True,
         attainment_peers),
    Case("tokens", "120 prompts under an input-token limit that binds, 15 calls / 10 s, 1 s latency", tokens, True),
    Case("unknown", "90 prompts, 30 requests / 60 s, 1 s latency, limits not told to the engine", unknown, True,
         unknown_peers),
    Case("shared", "two processes on one store, 60 prompts each, one limit of 15 requests / 10 s", shared, True),
    Case("even", "90 prompts, a provider that spaces 15 requests / 10 s evenly", even, True),
)
