#!/usr/bin/env python3
"""Prints what the demo did: its summary, the time it saved, and the first replies of the export.

Reads the JSON summary of `atelier replies generate --json` and the CSV of `atelier replies export`.
"""

import argparse
import csv
import json
import textwrap

ROWS_SHOWN = 3
WIDTH = 100


def seconds(text):
    """A duration such as 1s or 8ms, in seconds."""
    if text.endswith("ms"):
        return float(text[:-2]) / 1000
    return float(text.removesuffix("s"))


def one_request_a_post(posts, output_tokens, requests_a_minute, latency, per_output_token):
    """How long the posts would have taken with a request each, in seconds.

    The quota admits so many requests at once, and as many again with each minute that follows; what remains
    is how long the last of them takes to be answered.
    """
    minutes_waited = (posts - 1) // requests_a_minute
    return minutes_waited * 60 + latency + per_output_token * output_tokens / posts


def print_summary(summary, quota):
    print(f"==> Done: job {summary['job']}")
    print("    posts     {selected} looked at: {gated} gated, {duplicates} duplicates, "
          "{green} green, {yellow} yellow, {red} red".format_map(summary))
    print("    replies   {drafted} posts drafted, {blocked} blocked, {failed} failed; "
          "{saved} drafts saved, {filtered} filtered out".format_map(summary))
    cost = "cost unknown" if summary["cost_usd"] is None else f"${summary['cost_usd']:.4f}"
    print("    provider  {calls:,} calls, {rate_limited:,} of them refused for a limit; "
          "{input_tokens:,} tokens in, {output_tokens:,} out; ".format_map(summary) + cost)
    print("    time      {seconds:.1f} s".format_map(summary))

    posts = summary["drafted"] + summary["blocked"] + summary["failed"]
    if quota and posts:
        alone = one_request_a_post(posts, summary["output_tokens"], **quota)
        print(f"              One request a post would have needed {alone:.0f} s: {posts} posts, "
              f"{quota['requests_a_minute']} requests a minute.")


def printable(text):
    """The text on one line, and without what a terminal would obey: posts are other people's words."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def print_paragraph(label, text):
    print(textwrap.fill(printable(text), WIDTH, initial_indent=f"      {label:<7}", subsequent_indent=" " * 13,
                        max_lines=3, placeholder=" …"))


def print_first_rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"==> replies.csv: the first {min(ROWS_SHOWN, len(rows))} of {len(rows)} rows")
    for row in rows[:ROWS_SHOWN]:
        print(f"    {row['rank']}. @{printable(row['author']).lstrip('@')}, {printable(row['topic'])}, "
              f"{row['label']} {row['score_total']} ({printable(row['why'])})")
        print_paragraph("post", row["tweet_text"])
        print_paragraph("reply", f"{row['suggested_response']} [{row['suggested_type']}]")


def print_where_to_look(binary):
    print("==> Where to look")
    print("    every post with its drafts, best first    replies.csv")
    print(f"    the job, its calls and what they used     {binary} --data-dir demo-data jobs list")
    print(f"    everything else                           {binary} --help")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("summary")
    parser.add_argument("replies")
    parser.add_argument("--binary", default="atelier")
    parser.add_argument("--requests-a-minute", type=int)
    parser.add_argument("--latency", type=seconds, default=0.0)
    parser.add_argument("--per-output-token", type=seconds, default=0.0)
    arguments = parser.parse_args()

    quota = None
    if arguments.requests_a_minute:
        quota = {name: getattr(arguments, name) for name in ("requests_a_minute", "latency", "per_output_token")}
    with open(arguments.summary, encoding="utf-8") as file:
        summary = json.load(file)

    print()
    print_summary(summary, quota)
    print_first_rows(arguments.replies)
    print_where_to_look(arguments.binary)


main()
