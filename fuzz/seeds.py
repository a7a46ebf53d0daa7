#!/usr/bin/env python3
"""Writes what the fuzz targets start from: DIRECTORY/TARGET/NAME, a file for each seed.

    fuzz/seeds.py DIRECTORY

The exchanges of the providers are made from the fixtures of their conformance suite, so that a new fixture is a
new seed. The others stand in fuzz/seeds/TARGET.txt, one after the other with a line of four dashes between.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "crates/providers/tests/fixtures"


def exchange(fixture):
    """A fixture as src/exchange.rs reads it."""
    (kind, asked), = fixture["ask"].items()
    if kind == "embedding":
        kind = {1: "embed", 2: "embed2"}.get(len(asked["texts"]), "embed3")
    elif kind == "raw" and "input" in asked:
        kind = "raw-embed"
    answer = fixture["answer"]
    body = answer["body"] if isinstance(answer["body"], str) else json.dumps(answer["body"], ensure_ascii=False)
    headers = "".join(f"{name}: {value}\n" for name, value in answer.get("headers", {}).items())
    return f"{kind} {answer['status']}\n{headers}\n{body}"


def limit_headers(fixture):
    """The values of a fixture's headers as src/headers.rs reads them."""
    headers = fixture["answer"].get("headers", {})
    requests, tokens = [[f"x-ratelimit-{part}-{of}" for part in ("reset", "limit", "remaining")] for of in ("requests", "tokens")]
    names = requests + ["retry-after", "retry-after-ms"] + tokens
    return "\n".join(headers.get(name, "") for name in names)


def seeds():
    """Each seed with its target and its name."""
    for provider in ("gemini", "openai"):
        for path in sorted((FIXTURES / provider).glob("*.json")):
            fixture = json.loads(path.read_text(encoding="utf-8"))
            yield provider, path.stem, exchange(fixture)
            sent = (fixture.get("sent") or {}).get("body")
            if sent is not None:
                server = "gemini" if provider == "gemini" else "openai"
                yield "requests", f"{provider}-{path.stem}", f"{server} raw\n{json.dumps(sent)}"
            if fixture["answer"].get("headers"):
                yield "headers", path.stem, limit_headers(fixture)
    for path in sorted((HERE / "seeds").glob("*.txt")):
        for number, seed in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n----\n")):
            yield path.stem, f"seed-{number:02}", seed


def main():
    root = Path(sys.argv[1])
    for target, name, seed in seeds():
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / target / name).write_text(seed, encoding="utf-8")


if __name__ == "__main__":
    main()
