/** Drafts by the post that they answer, with what is decided and not saved yet. */
import type { Draft } from "../../api/api";
import type { Status, Wanted } from "./queue";

export interface ReviewedPost {
  id: string;
  drafts: Draft[];
  standing: "open" | "approved" | "rejected";
}

/** Where a draft stands once somebody has wanted it. */
export const APPROVED = ["approved", "exported", "posted"];

/** The posts, the best score first; a post's drafts by their rank, those of the latest job before the others. */
export function byPost(drafts: readonly Draft[], overlay: ReadonlyMap<string, Wanted>): ReviewedPost[] {
  const posts = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const wanted = overlay.get(draft.id);
    const shown = wanted ? { ...draft, status: wanted.status ?? draft.status, text: wanted.text ?? draft.text } : draft;
    const known = posts.get(draft.post);
    if (known) known.push(shown);
    else posts.set(draft.post, [shown]);
  }
  const all = [...posts].map(([id, drafts]) => {
    // What was drafted last stands first.
    drafts.sort((a, b) => (a.job === b.job ? a.rank - b.rank : a.job < b.job ? 1 : -1));
    return { id, drafts, standing: standingOf(drafts) };
  });
  return all.sort((a, b) => scoreOf(b) - scoreOf(a) || (a.id < b.id ? -1 : 1));
}

const scoreOf = (post: ReviewedPost) => post.drafts[0]?.score ?? 0;

function standingOf(drafts: readonly Draft[]): ReviewedPost["standing"] {
  if (drafts.some((draft) => APPROVED.includes(draft.status))) return "approved";
  return drafts.some((draft) => draft.status === "pending") ? "open" : "rejected";
}

/** The draft that is taken if nobody chooses: the one that was approved, else the first that nobody has rejected. */
export function firstChoice(post: ReviewedPost): Draft | undefined {
  return (
    post.drafts.find((draft) => APPROVED.includes(draft.status)) ??
    post.drafts.find((draft) => draft.status === "pending") ??
    post.drafts[0]
  );
}

const step = (draft: Draft, status: Status, reason?: string): Wanted => ({
  id: draft.id,
  version: draft.version,
  status,
  ...(reason === undefined ? {} : { reason }),
});

/** Approves one draft of a post, and takes back what was approved of it before. */
export function approving(post: ReviewedPost, draft: Draft, text?: string): Wanted[] {
  const others = post.drafts.filter((one) => one.id !== draft.id && one.status === "approved");
  const chosen = text === undefined || text === draft.text ? {} : { text };
  // What was approved, handed out or posted stays what it is, unless its words change.
  const isSo = APPROVED.includes(draft.status) && !("text" in chosen);
  const own = isSo ? [] : [{ ...step(draft, "approved"), ...chosen }];
  return [...others.map((one) => step(one, "pending")), ...own];
}

/** Rejects all drafts of a post that could still be taken. */
export function rejecting(post: ReviewedPost, reason: string): Wanted[] {
  const open = post.drafts.filter((one) => one.status === "pending" || one.status === "approved");
  return open.map((one) => step(one, "rejected", reason));
}

/** What makes decisions undone: each draft is as it was. */
export function undoing(post: ReviewedPost, decisions: readonly Wanted[]): Wanted[] {
  return decisions.flatMap((wanted) => {
    const before = post.drafts.find((draft) => draft.id === wanted.id);
    if (!before) return [];
    const back: Wanted = { id: before.id, version: before.version, status: before.status as Status };
    return [wanted.text === undefined ? back : { ...back, text: before.text }];
  });
}
