/**
 * What changes, as it changes. A browser opens about six connections to an origin, so that one stream serves all tabs: a
 * lock elects who reads it, and a channel passes on what it says.
 */
import type { QueryClient } from "@tanstack/react-query";

import type { Generation, MadeImage } from "./api";
import type { Schemas } from "./client";

type Change = Schemas["EventView"];

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
      const stream = new EventSource("/api/v1/events");
      stream.onopen = () => lost(false);
      stream.onerror = () => lost(true);
      for (const topic of TOPICS) {
        stream.addEventListener(topic, (event) => {
          const change = JSON.parse(event.data) as Change;
          take(change);
          channel.postMessage(change);
        });
      }
      stream.addEventListener("reset", () => {
        void cache.invalidateQueries();
        channel.postMessage("reset");
      });
      // After a break the stream goes on where it was; what a page shows is read anew only if that is too long ago.
      ended.signal.addEventListener("abort", () => {
        stream.close();
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

/** Brings what is shown up to date, row by row, and asks again only for what a row can't say. */
function apply(cache: QueryClient, change: Change): void {
  switch (change.topic) {
    case "image":
      imageChanged(cache, change.id, change.image ?? null);
      break;
    case "library":
      void cache.invalidateQueries({ queryKey: ["library"] });
      void cache.invalidateQueries({ queryKey: ["search"] });
      break;
    case "job":
      void cache.invalidateQueries({ queryKey: ["costs"] });
      void cache.invalidateQueries({ queryKey: ["jobs"] });
      break;
    case "quota":
      void cache.invalidateQueries({ queryKey: ["quotas"] });
      break;
    default:
  }
}

/** Puts an image where it is shown: in its generation, whose card draws it, and as itself. */
function imageChanged(cache: QueryClient, id: string, image: MadeImage | null): void {
  if (image === null) {
    void cache.invalidateQueries({ queryKey: ["made"] });
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
  void cache.invalidateQueries({ queryKey: ["made"] });
}
