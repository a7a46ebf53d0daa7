"""What a run says that it cost, and what a budget is good for, while calls fail."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from ..bench import ROOT, Bench, Case
from ..engine import MODEL
from ..prompts import Answers, check_answers, write_prompts
from ..result import Broken, Figure, Result, Row
from ..sandbox import Stats
from .faults import CONCURRENCY, RATES

PRICES = ROOT / "assets" / "prices.toml"
MILLION = 1_000_000
LATENCY = ("--latency", "200ms")
FAULTS = tuple(flag for rate in RATES for flag in ("--fault", rate))
# The budget, as a multiple of what the same prompts cost.
BUDGET = 1.2
OVER_BUDGET = 5


@dataclass(frozen=True)
class Price:
    """Dollars for a token."""

    input: float
    output: float

    def cost(self, stats: Stats) -> float:
        """What the provider would bill: the tokens of the answers that it gave."""
        return self.input * stats.input_tokens + self.output * stats.output_tokens


def price_of(prices: dict[str, Any], model: str) -> Price:
    """The price of a model, named as the user names it. Raises Broken where it has none, or several."""
    provider, _, name = model.partition(":")
    found = [each for each in prices["model"] if (each["provider"], each["name"]) == (provider, name)]
    if len(found) != 1 or len(found[0]["prices"]) != 1:
        raise Broken(f"{model} has no price, or several")
    (row,) = found[0]["prices"]
    return Price(row["input"] / MILLION, row["output"] / MILLION)


@dataclass(frozen=True)
class Spent:
    """What one run cost."""

    seconds: float
    # As the run says.
    said: float
    # As the provider counts.
    counted: float
    answers: Answers
    stats: Stats

    def row(self, who: str) -> Row:
        """Its numbers."""
        return Row(who, {
            "time, s": self.seconds, "answered": self.answers.done, "calls": self.stats.calls,
            "cost as the run says": dollars(self.said), "as the provider counts": dollars(self.counted),
        })


def dollars(amount: float) -> str:
    """An amount, to the hundredth of a cent."""
    return f"${amount:.4f}"


def money(bench: Bench) -> Result:
    """The same prompts twice, while calls fail: with no budget, and with one that is a little more than they cost."""
    items = bench.size(2000, 600)
    price = price_of(tomllib.loads(PRICES.read_text()), MODEL)
    free = spent(bench, "money", items, price)
    if free.answers.fault:
        raise Broken(free.answers.fault)
    if free.counted <= 0:
        raise Broken("the provider counted no tokens")
    bound = spent(bench, "money-budget", items, price, "--max-cost", f"{BUDGET * free.counted:.6f}")
    if bound.answers.doubled or bound.answers.strange:
        raise Broken(bound.answers.fault or "")
    shown = free.said / free.counted
    return Result(
        figures=[
            Figure("cost as the run says / as the provider counts", shown, 0.97, at_least=True),
            Figure("the same, from above", shown, 1.05),
            Figure(f"items answered with a budget of {BUDGET} x the cost", bound.answers.done / items, 1.0,
                   at_least=True),
            Figure("cost as the provider counts / that budget", bound.counted / (BUDGET * free.counted)),
        ],
        rows=[free.row("no budget"), bound.row(f"budget of {dollars(BUDGET * free.counted)}")],
        notes=[struck("no budget", free.stats), struck("with a budget", bound.stats)],
    )


def spent(bench: Bench, name: str, items: int, price: Price, *flags: str) -> Spent:
    """One run with a store and a provider of its own, whose faults come at the same rates."""
    folder = bench.folder(name)
    with bench.sandbox(folder, *LATENCY, *FAULTS) as sandbox:
        prompts, out = write_prompts(folder / "in.jsonl", "money", items), folder / "out.jsonl"
        with bench.engine(folder, sandbox).answer(prompts, out, *CONCURRENCY, *flags) as run:
            # Some items failed, or the budget ended it: that is for the answers to say.
            finished = run.wait(1200).expect(0, 1, OVER_BUDGET)
        stats = sandbox.stats()
    said = finished.summary["cost_usd"]
    if said is None:
        raise Broken(f"{MODEL} has no price for the run")
    return Spent(finished.seconds, said, price.cost(stats), check_answers(out, "money", items), stats)


def struck(what: str, stats: Stats) -> str:
    """How the calls of a run were struck by faults."""
    faults = ", ".join(f"{count} x {kind}" for kind, count in sorted(stats.faults.items())) or "no faults"
    return f"{what}: {stats.input_tokens:,} + {stats.output_tokens:,} tokens were answered; {faults}"


CASES = (
    Case("money", f"2,000 prompts of 0.2 s, 16 at once, faults as in `faults`; then with a budget of {BUDGET} x their "
         "cost", money, True),
)
