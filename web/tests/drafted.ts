/** A project whose posts were drafted for, without the browser. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import type { Place } from "./place";

const SAMPLES = resolve(import.meta.dirname, "../../assets/samples");
/** In hours: before all of the sample posts. */
export const FAR_BACK = 1_000_000;

interface Funnel {
  drafted: number;
  to_review: number;
  approved: number;
}

export const funnelOf = (here: Place, project: string) => here.ask<Funnel>("GET", `/projects/${project}/funnel`);

/** Adds it, with the sample posts and their drafts by the sandbox; how many posts have some. */
export async function withDrafts(here: Place, project: string): Promise<number> {
  const finder = readFileSync(resolve(SAMPLES, "finder.yml"), "utf8");
  await here.ask("POST", "/projects", { name: project, finder });
  await here.ask(
    "POST",
    `/projects/${project}/posts?file=posts.csv`,
    readFileSync(resolve(SAMPLES, "posts.csv"), "utf8"),
  );
  await here.ask("POST", `/projects/${project}/drafting`, {
    hours_back: FAR_BACK,
    model: "sandbox:gemini-3.5-flash-lite",
  });
  for (;;) {
    const { drafted, to_review } = await funnelOf(here, project);
    const { jobs } = await here.ask<{ jobs: { state: string }[] }>("GET", "/jobs");
    if (drafted > 0 && to_review === drafted && jobs.every((job) => job.state === "done")) return drafted;
    await new Promise((next) => setTimeout(next, 100));
  }
}
