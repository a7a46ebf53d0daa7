"""Search, preview, make, wait, download: a client of Atelier's API in fifty lines, with nothing but Python's own library.

    ATELIER_URL=http://127.0.0.1:8787 ATELIER_TOKEN=atelier_… python3 client.py "a lighthouse at dusk" pictures/
"""

import json, os, pathlib, sys, urllib.error, urllib.parse, urllib.request, uuid

URL, TOKEN = os.environ["ATELIER_URL"] + "/api/v1", os.environ["ATELIER_TOKEN"]


def ask(method, path, body=None, **headers):
    headers = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        headers["Content-Type"], body = "application/json", json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=body, method=method, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        sys.exit(f"{problem['detail']} ({problem['code']}, request {problem['request_id']})")


def events():
    """What changes from now on: each with its topic and its row. The first says that it has begun."""
    topic = None
    for line in ask("GET", "/events"):
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            topic = value
        elif name == "data":
            yield topic, json.loads(value)


prompt, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)

found = json.load(ask("GET", f"/search?q={urllib.parse.quote(prompt)}&limit=1"))
references = [{"image": hit["id"]} for hit in found["hits"]]
request = {"prompt": prompt, "count": 2, "references": references, "sides": [{"model": "sandbox:gemini-3.1-flash-image"}]}

preview = json.load(ask("POST", "/generations/preview", request))
cost = preview["forecast"]["cost_usd"]
print(f"{preview['forecast']['images']} images would cost", "an unknown amount" if cost is None else f"${cost:.2f}")

stream = events()
start = next(stream)  # from here on nothing is missed
made = json.load(ask("POST", "/generations", {"request": request}, Idempotency_Key=str(uuid.uuid4())))
waiting = {image["id"] for image in made["images"]}
for topic, row in stream:
    if topic == "image" and row["id"] in waiting and row["image"]["state"] in ("done", "blocked", "failed"):
        waiting.discard(row["id"])
        if row["image"]["state"] == "done":
            file = folder / f"{row['id']}.{row['image']['format']}"
            file.write_bytes(ask("GET", f"/images/{row['id']}/file").read())
            print("made", file)
    if not waiting:
        break
