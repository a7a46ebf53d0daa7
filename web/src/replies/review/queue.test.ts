import { expect, test } from "vitest";

import type { Draft } from "../../api/api";
import { approving, byPost, rejecting, undoing } from "./posts";
import { DecisionQueue, type Wanted } from "./queue";

function draft(id: string, post: string, change: Partial<Draft> = {}): Draft {
  return {
    id,
    post,
    job: "j1",
    rank: 1,
    text: `text of ${id}`,
    status: "pending",
    version: "1",
    score: 0.5,
    ...change,
  } as Draft;
}

/** A server with versions, which can be out of reach. */
function server(drafts: Draft[]) {
  const rows = new Map(drafts.map((one) => [one.id, one]));
  const state = { isUp: true, loses: false, calls: 0 };
  const send = async (wanted: readonly Wanted[]) => {
    if (!state.isUp) throw new Error("offline");
    state.calls += 1;
    const answers = wanted.map((one) => {
      const row = rows.get(one.id);
      if (!row) return { id: one.id, decided: false };
      const decided = row.version === one.version;
      const next = decided
        ? {
            ...row,
            status: one.status ?? row.status,
            text: one.text ?? row.text,
            version: String(Number(row.version) + 1),
          }
        : row;
      rows.set(one.id, next);
      return { id: one.id, decided, draft: next };
    });
    if (state.loses) throw new Error("the answer was lost");
    return answers;
  };
  return { rows, state, send };
}

function queueOf(place: ReturnType<typeof server>, kept = { text: "" }) {
  const refused: Wanted[] = [];
  const queue = new DecisionQueue({
    send: place.send,
    kept: {
      read: () => kept.text,
      write: (text) => {
        kept.text = text;
      },
    },
    onDecided: () => undefined,
    onRefused: (wanted) => refused.push(wanted),
  });
  return { queue, refused, kept };
}

test("forty decisions that were made offline are saved once on return, by another page too", async () => {
  const drafts = Array.from({ length: 40 }, (_, n) => draft(`d${n}`, `p${n}`));
  const place = server(drafts);
  place.state.isUp = false;
  const first = queueOf(place);
  for (const post of byPost(drafts, new Map())) {
    const [chosen] = post.drafts;
    if (chosen) first.queue.add(approving(post, chosen));
    await first.queue.flush().catch(() => undefined);
  }
  expect(first.queue.overlay().size).toBe(40);
  place.state.isUp = true;
  const second = queueOf(place, first.kept);
  await second.queue.flush();
  expect([...place.rows.values()].map((one) => one.status)).toEqual(Array(40).fill("approved"));
  expect([...place.rows.values()].map((one) => one.version)).toEqual(Array(40).fill("2"));
  expect(second.kept.text).toBe("");
});

test("an answer that was lost is no conflict", async () => {
  const place = server([draft("d1", "p1")]);
  const { queue, refused } = queueOf(place);
  queue.add([{ id: "d1", version: "1", status: "approved" }]);
  place.state.loses = true;
  await expect(queue.flush()).rejects.toThrow();
  place.state.loses = false;
  await queue.flush();
  expect(refused).toEqual([]);
  expect(place.rows.get("d1")?.version).toBe("2");
});

test("what another reviewer has decided is not overwritten", async () => {
  const place = server([draft("d1", "p1")]);
  const { queue, refused } = queueOf(place);
  queue.add([{ id: "d1", version: "1", status: "approved" }]);
  await place.send([{ id: "d1", version: "1", status: "rejected" }]);
  await queue.flush();
  expect(place.rows.get("d1")?.status).toBe("rejected");
  expect(refused.map((one) => one.id)).toEqual(["d1"]);
  expect(queue.overlay().size).toBe(0);
});

test("a decision that is undone before it was answered ends as it was", async () => {
  const place = server([draft("d1", "p1"), draft("d2", "p1", { rank: 2 })]);
  const { queue } = queueOf(place);
  const [post] = byPost([...place.rows.values()], new Map());
  if (!post) throw new Error("there is no post");
  const decisions = rejecting(post, "tone");
  queue.add(decisions);
  const flushing = queue.flush();
  queue.add(undoing(post, decisions));
  await flushing;
  expect([...place.rows.values()].map((one) => one.status)).toEqual(["pending", "pending"]);
  expect(queue.overlay().size).toBe(0);
});

test("approving another draft of a post takes the first back", () => {
  const drafts = [draft("d1", "p1", { status: "approved" }), draft("d2", "p1", { rank: 2 })];
  const [post] = byPost(drafts, new Map());
  if (!post?.drafts[1]) throw new Error("there is no draft");
  expect(post.standing).toBe("approved");
  expect(approving(post, post.drafts[1], "other words")).toEqual([
    { id: "d1", version: "1", status: "pending" },
    { id: "d2", version: "1", status: "approved", text: "other words" },
  ]);
});
