/**
 * What somebody is composing. It survives a reload, and belongs to this browser alone: nothing is sent before it is asked
 * for.
 */
import { useSyncExternalStore } from "react";

import { type MakeRequest, type Pick, type Plan, picture } from "../api/api";
import { remember, remembered } from "../shared/settings";

/** A picture that was picked, with what is shown of it here. */
export interface Picked {
  pick: Pick;
  name: string;
  thumbnail: string;
}

/** A reference that is drawn, held at an image of the library, or off. */
export type Choice = "drawn" | "off" | { id: string; name: string };

export interface Draft {
  prompt: string;
  picks: Picked[];
  tone: Choice;
  angle: Choice;
  mode: "auto" | "palette-only" | "off";
  camera: Partial<Record<"shot" | "view" | "lens" | "light", string>>;
  size: string;
  count: number;
  models: [string] | [string, string];
  /** The seed of the choice of references: another one is another draw. */
  draw: number;
}

export const SANDBOX = "sandbox:gemini-3.1-flash-image";

const EMPTY: Draft = {
  prompt: "",
  picks: [],
  tone: "drawn",
  angle: "drawn",
  mode: "auto",
  camera: {},
  size: "1:1",
  count: 4,
  models: [SANDBOX],
  draw: 1,
};

let draft: Draft = read();
const listeners = new Set<() => void>();

function read(): Draft {
  try {
    const kept: unknown = JSON.parse(remembered("draft") ?? "{}");
    return typeof kept === "object" ? { ...EMPTY, ...kept } : EMPTY;
  } catch {
    return EMPTY;
  }
}

/** Changes some of it. */
export function compose(change: Partial<Draft>): void {
  draft = { ...draft, ...change };
  remember("draft", JSON.stringify(draft));
  for (const listener of listeners) listener();
}

export function currentDraft(): Draft {
  return draft;
}

export function useDraft(): Draft {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => draft,
  );
}

/** Adds a picture to the picks, unless it is one of them. */
export function pick(picked: Picked): void {
  const key = JSON.stringify(picked.pick);
  if (draft.picks.some((one) => JSON.stringify(one.pick) === key)) return;
  compose({ picks: [...draft.picks, picked] });
}

/** What is asked of the server. */
export function requestOf(draft: Draft): MakeRequest {
  const choice = (of: Choice) => (of === "drawn" ? null : of === "off" ? "off" : of.id);
  return {
    prompt: draft.prompt.trim(),
    project: "studio",
    count: draft.count,
    size: draft.size,
    camera: { shot: null, view: null, lens: null, light: null, ...draft.camera },
    palette: [],
    reference_seed: draft.draw,
    references: draft.picks.map((one) => one.pick),
    sides: draft.models.map((model) => ({
      model,
      references: draft.mode,
      tone: choice(draft.tone),
      angle: choice(draft.angle),
    })),
  };
}

/** What would have to be composed for a plan like this one; what was drawn for it is drawn anew. */
export function draftOf(plan: Plan): Draft {
  const [first, second] = plan.sides;
  const references = first?.references ?? [];
  const held = (role: "tone" | "angle"): Choice => {
    const reference = references.find((one) => one.role === role);
    return reference?.image && !reference.drawn ? { id: reference.image, name: reference.name } : "drawn";
  };
  const { shot, view, lens, light } = plan.camera ?? {};
  return {
    ...EMPTY,
    prompt: plan.prompt,
    picks: references.flatMap((one) =>
      one.role === "subject" && one.image
        ? [{ pick: { image: one.image }, name: one.name, thumbnail: picture.thumbnail(one.image) }]
        : [],
    ),
    tone: held("tone"),
    angle: held("angle"),
    mode: first?.mode ?? "auto",
    camera: Object.fromEntries(Object.entries({ shot, view, lens, light }).filter(([, value]) => value)),
    size: shapeOf(plan),
    count: plan.count,
    models: second ? [first?.model ?? SANDBOX, second.model] : [first?.model ?? SANDBOX],
  };
}

/** The shapes that are offered. */
export const RATIOS = ["1:1", "4:5", "3:2", "16:9"];

/** The shape of a plan, if it is one that is offered; else its size. */
function shapeOf({ width, height }: Plan): string {
  const near = RATIOS.find((ratio) => {
    const [across = 1, down = 1] = ratio.split(":").map(Number);
    return Math.abs((width * down) / (height * across) - 1) < 0.02;
  });
  return near ?? `${width}x${height}`;
}
