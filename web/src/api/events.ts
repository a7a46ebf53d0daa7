/**
 * What changes, as it changes. A browser opens about six connections to an origin, so that one stream serves all tabs: a
 * lock elects who reads it, and a channel passes on what it says.
 */
import type { QueryClient } from "@tanstack/react-query";

import type { Draft, Generation, MadeImage } from "./api";
import type { Schemas } from "./client";

type Change = Schemas["EventView"];

/** A stream that was refused is asked for again after so long. */
const TRY_AGAIN = 3000;

const TOPICS = ["job", "items", "image", "draft", "quota", "library"] as const;

/** Follows the changes until `end` is called. `lost` is told whether the stream is there. */
export function follow(cache: QueryClient, lost: (isLost: boolean) => void): () => void {
  const channel = new BroadcastChannel("atelier.events");
  const ended = new AbortController();
  const take = (change: Change) => apply(cache, change);
  channel.onmessage = (event: MessageEvent<Change | "reset">) =>
    event.data === "reset" ? void cache.invalidateQueries() : take(event.data);

  const read = () =>
    new Promise<void>((resolve) => {
      let last = "";
      let stream: EventSource | undefined;
      const open = () => {
        const opened = new EventSource(`/api/v1/events${last === "" ? "" : `?after=${last}`}`);
        stream = opened;
        opened.onopen = () => lost(false);
        opened.onerror = () => {
          lost(true);
          // A browser tries again after a break, but not after an answer that says no: the session may be there again soon.
          if (opened.readyState === EventSource.CLOSED && !ended.signal.aborted) setTimeout(open, TRY_AGAIN);
        };
        for (const topic of TOPICS) {
          opened.addEventListener(topic, (event) => {
            last = event.lastEventId;
            const change = JSON.parse(event.data) as Change;
            take(change);
            channel.postMessage(change);
          });
        }
        opened.addEventListener("reset", () => {
          void cache.invalidateQueries();
          channel.postMessage("reset");
        });
      };
      open();
      // After a break the stream goes on where it was; what a page shows is read anew only if that is too long ago.
      ended.signal.addEventListener("abort", () => {
        stream?.close();
        resolve();
      });
    });
  // Whoever waits for the lock takes over when the tab that holds it goes.
  navigator.locks.request("atelier.events", { signal: ended.signal }, read).catch(() => undefined);
  return () => {
    ended.abort();
    channel.close();
  };
}

/** What is asked for anew after changes is asked for so often at most: ten thousand prompts change a job at each answer. */
const AT_MOST_EVERY = 500;
const due = new Map<string, number>();

/** Has what is under a key read anew soon, once for all that changes until then. */
function soon(cache: QueryClient, ...key: string[]): void {
  const name = key.join("/");
  if (due.has(name)) return;
  due.set(
    name,
    window.setTimeout(() => {
      due.delete(name);
      void cache.invalidateQueries({ queryKey: key });
    }, AT_MOST_EVERY),
  );
}

/** Brings what is shown up to date, row by row, and asks again only for what a row can't say. */
function apply(cache: QueryClient, change: Change): void {
  switch (change.topic) {
    case "image":
      imageChanged(cache, change.id, change.image ?? null);
      break;
    case "library":
      soon(cache, "library");
      soon(cache, "search");
      break;
    case "job":
      // One that begins or ends may have called a model for the first time.
      soon(cache, "quotas");
      soon(cache, "costs");
      soon(cache, "jobs");
      break;
    case "items":
      soon(cache, "costs");
      soon(cache, "jobs");
      break;
    case "draft":
      if (!change.draft) break;
      draftChanged(cache, change.draft);
      soon(cache, "funnel", change.draft.project);
      break;
    case "quota":
      soon(cache, "quotas");
      break;
    default:
  }
}

/** Puts an image where it is shown: in its generation, whose card draws it, and as itself. */
function imageChanged(cache: QueryClient, id: string, image: MadeImage | null): void {
  if (image === null) {
    soon(cache, "made");
    return;
  }
  cache.setQueryData(["image", id], image);
  const known = cache.getQueryData<Generation>(["generation", image.generation]);
  if (known) {
    const images = known.images.some((one) => one.id === id)
      ? known.images.map((one) => (one.id === id ? image : one))
      : [...known.images, image];
    cache.setQueryData<Generation>(["generation", image.generation], { ...known, images });
  }
  soon(cache, "made");
}

/** Puts a draft where it is shown, as the server has it. */
export function draftChanged(cache: QueryClient, draft: Draft): void {
  cache.setQueryData<Draft[]>(["drafts", draft.project], (known) => {
    if (!known) return known;
    const at = known.findIndex((one) => one.id === draft.id);
    if (at >= 0) return known.with(at, draft);
    // Those that the filter has rejected are not shown.
    return draft.rejected_by === "filter" ? known : [...known, draft];
  });
}
