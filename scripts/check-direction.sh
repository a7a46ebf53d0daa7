#!/usr/bin/env bash
# Checks the direction of dependencies between the crates, from what cargo itself reads:
#
#   engine <- providers, store, embed <- prompts, replies, search <- studio <- app <- server <- cli
#
# A crate uses those on its left only, and none beside it. The sandbox uses none of ours, and only the app,
# the cli and tests use it. The engine is free of HTTP and SQL, through all that it depends on. Tests and examples
# (dev-dependencies) may use any of ours.
#
#   scripts/check-direction.sh               checks this workspace
#   scripts/check-direction.sh --self-test   checks that each rule can fail; done before every check, too
#
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

exec python3 - "$@" <<'PYTHON'
import json
import subprocess
import sys

LEVELS = [
    ["engine"],
    ["providers", "store", "embed"],
    ["prompts", "replies", "search"],
    ["studio"],
    ["app"],
    ["server"],
    ["cli"],
]
LEVEL = {crate: level for level, crates in enumerate(LEVELS) for crate in crates}

SANDBOX = "sandbox"
USES_SANDBOX = ["app", "cli"]

# What the engine must not reach, however indirectly: HTTP, SQL, a web framework.
NOT_IN_ENGINE = {"axum", "hyper", "hyper-util", "libsqlite3-sys", "reqwest", "rusqlite", "sqlx", "tokio-postgres", "ureq"}

PREFIX = "atelier-"


def violations(dependencies, engine_tree):
    """The rules that are broken, a sentence each.

    dependencies: for each of our crates, by its name without the prefix, its pairs (name of one of ours, is
    it for tests only). engine_tree: the names of all packages that the engine is built with.
    """
    found = []
    for crate, uses in sorted(dependencies.items()):
        if crate != SANDBOX and crate not in LEVEL:
            found.append(f"{crate} has no place in the direction: give it one in scripts/check-direction.sh")
            continue
        for used, for_tests in sorted(uses):
            if crate == SANDBOX:
                found.append(f"{crate} uses {used}: the sandbox uses none of our crates, in tests neither")
            elif for_tests:
                continue
            elif used == SANDBOX:
                if crate not in USES_SANDBOX:
                    found.append(f"{crate} uses {used}: only {', '.join(USES_SANDBOX)} and tests may")
            elif used not in LEVEL:
                continue  # reported as a crate of its own
            elif LEVEL[used] == LEVEL[crate]:
                found.append(f"{crate} uses {used}, which stands beside it")
            elif LEVEL[used] > LEVEL[crate]:
                found.append(f"{crate} uses {used}, which stands to its right")
    for package in sorted(NOT_IN_ENGINE & set(engine_tree)):
        found.append(f"engine pulls in {package}: see `cargo tree -p atelier-engine -e normal -i {package}`")
    return found


def ours(package):
    return package.removeprefix(PREFIX) if package.startswith(PREFIX) else None


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: the direction can't be checked: cargo {arguments[0]} failed, see above")
    return done.stdout


def read_dependencies():
    metadata = json.loads(cargo("metadata", "--no-deps", "--format-version", "1"))
    return {
        ours(package["name"]) or package["name"]: {
            (ours(dependency["name"]), dependency["kind"] == "dev")
            for dependency in package["dependencies"]
            if ours(dependency["name"])
        }
        for package in metadata["packages"]
    }


def read_engine_tree():
    lines = cargo("tree", "--locked", "-p", PREFIX + "engine", "-e", "normal", "--prefix", "none").splitlines()
    return {line.split()[0] for line in lines if line.strip()}


def self_test():
    """Each rule on the smallest workspace that breaks it, and on one that breaks none."""
    cases = [
        ({"cli": {("engine", False), ("sandbox", False)}, "store": {("engine", False)}}, set(), None),
        ({"replies": {("store", False), ("sandbox", True)}}, {"tokio"}, None),
        ({"engine": {("providers", True)}}, set(), None),
        ({"engine": {("store", False)}}, set(), "engine uses store, which stands to its right"),
        ({"store": {("providers", False)}}, set(), "store uses providers, which stands beside it"),
        ({"replies": {("sandbox", False)}}, set(), "replies uses sandbox: only app, cli and tests may"),
        ({"sandbox": {("engine", False)}}, set(), "sandbox uses engine: the sandbox uses none"),
        ({"sandbox": {("providers", True)}}, set(), "sandbox uses providers: the sandbox uses none"),
        ({"common": set()}, set(), "common has no place in the direction"),
        ({"engine": set()}, {"tokio", "rusqlite"}, "engine pulls in rusqlite"),
    ]
    for dependencies, tree, expected in cases:
        found = violations(dependencies, tree)
        as_expected = not found if expected is None else len(found) == 1 and found[0].startswith(expected)
        if not as_expected:
            sys.exit(f"error: the check of the direction is broken: {dependencies} with {tree} gave {found}")
    return len(cases)


cases = self_test()
if sys.argv[1:] == ["--self-test"]:
    print(f"direction: the check itself is right in {cases} cases")
    sys.exit()
if sys.argv[1:]:
    sys.exit(f"error: unknown argument {sys.argv[1]}; there is --self-test")

dependencies = read_dependencies()
found = violations(dependencies, read_engine_tree())
for violation in found:
    print(f"error: {violation}", file=sys.stderr)
if found:
    sys.exit(1)
print(f"direction: {len(dependencies)} crates keep it")
PYTHON
