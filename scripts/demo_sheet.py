#!/usr/bin/env python3
"""Writes a contact sheet of a generation: both sides, what was sent, its references, and what it would have cost.

    scripts/demo_sheet.py GENERATION.json REFERENCES FOLDER SHEET.html

GENERATION.json is what `atelier images show ID --json` says, REFERENCES the folder of the sample library, FOLDER where the
images were written. The sheet shows files by their paths, and is one page without a script.
"""

import html
import json
import os
import pathlib
import sys

STYLE = """
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: #faf9f7; color: #1b1a18;
         font: 13px/20px system-ui, sans-serif; }
  h1 { font-size: 22px; line-height: 28px; } h2 { font-size: 15px; margin: 2rem 0 .5rem; }
  .row { display: flex; flex-wrap: wrap; gap: 4px; } figure { margin: 0; } img { height: 180px; border-radius: 2px; display: block; }
  .small img { height: 90px; } figcaption { max-width: 20rem; color: #6b675f; } pre { white-space: pre-wrap; border-top: 1px solid #e5e2dc;
  padding-top: .5rem; }
"""


def figure(path, caption, sheet):
    source = html.escape(os.path.relpath(path, sheet.parent).replace(os.sep, "/"))
    return f'<figure><img src="{source}" alt="{html.escape(caption)}"><figcaption>{html.escape(caption)}</figcaption></figure>'


def reference(one, folder, sheet):
    drawn = one.get("drawn")
    how = f", drawn from the best {drawn['best']} of {drawn['pool']}" if drawn else ", your own pick"
    found = next(iter(sorted(folder.glob(f"{one.get('image') or pathlib.Path(one['name']).stem}.*"))), None)
    found = found or folder / one["name"]
    return figure(found, f"{one['role']}: {one['name']}{how}", sheet)


def money(usd):
    return "an unknown amount" if usd is None else f"${usd:.3f}"


def main():
    shown, library, folder, sheet = json.loads(pathlib.Path(sys.argv[1]).read_text()), *map(pathlib.Path, sys.argv[2:5])
    parts = [f"<h1>{html.escape(shown['prompt'])}</h1>"]
    for side in shown["plan"]["sides"]:
        images = [image for image in shown["images"] if image["side"] == side["name"]]
        costs = [image["cost_usd"] for image in images if image["state"] == "done"]
        cost = money(None if None in costs else sum(costs))
        parts.append(f"<h2>{side['name'].upper()} · {html.escape(side['model'])} · {len(costs)} made, would cost {cost}</h2>")
        files = [next(iter(folder.glob(f"{image['id']}.*")), None) for image in images]
        made = [figure(file, f"{side['name'].upper()} {image['place']}", sheet) for file, image in zip(files, images) if file]
        parts.append(f'<div class="row">{"".join(made)}</div>')
        chosen = "".join(reference(one, library, sheet) for one in side["references"])
        parts.append(f'<h2>References of {side["name"].upper()}</h2><div class="row small">{chosen or "none"}</div>')
        parts.append(f"<pre>{html.escape(side['prompt'])}</pre>")
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>Contact sheet</title><style>{STYLE}</style>{''.join(parts)}"
    sheet.write_text(page)
    done = sum(image["state"] == "done" for image in shown["images"])
    print(f"    {done} of {len(shown['images'])} images made, with their references and prompts on {sheet}")


main()
