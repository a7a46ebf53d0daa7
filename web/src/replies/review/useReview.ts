import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { api, type Draft, data } from "../../api/api";
import { byPost, type ReviewedPost, undoing } from "./posts";
import type { Wanted } from "./queue";
import { keyOf, savingOf } from "./saving";

/** A page of drafts: all that one sitting can have. */
const PAGE = 5000;

/** How quick this sitting is. */
export interface Pace {
  decided: number;
  seconds: number;
}

async function readDrafts(project: string): Promise<Draft[]> {
  const drafts: Draft[] = [];
  let after: string | null | undefined;
  do {
    const query = { project: [project], limit: PAGE, ...(after ? { after } : {}) };
    const page = await data(api.GET("/api/v1/drafts", { params: { query } }));
    drafts.push(...page.drafts);
    after = page.next;
  } while (after);
  return drafts;
}

/** All drafts of a project by post, and decisions about them: they hold at once and are saved behind. */
export function useReview(project: string) {
  const drafts = useQuery({ queryKey: keyOf(project), queryFn: () => readDrafts(project) });
  const saving = savingOf(project);
  const { queue, mine } = saving;
  const overlay = useSyncExternalStore(queue.subscribe, queue.overlay);
  const { refusals, isFailing } = useSyncExternalStore(saving.subscribe, saving.current);
  const posts = useMemo(() => byPost(drafts.data ?? [], overlay), [drafts.data, overlay]);

  const undos = useRef<{ post: string; back: Wanted[] }[]>([]);
  const began = useRef<number | null>(null);
  const [pace, setPace] = useState<Pace>({ decided: 0, seconds: 0 });
  const decide = useCallback(
    (post: ReviewedPost, decisions: Wanted[]) => {
      if (decisions.length === 0) return;
      undos.current.push({ post: post.id, back: undoing(post, decisions) });
      queue.add(decisions);
      began.current ??= Date.now();
      const since = began.current;
      setPace((now) => ({ decided: now.decided + 1, seconds: (Date.now() - since) / 1000 }));
    },
    [queue],
  );
  /** Takes the last decision of this sitting back, and says which post it was about. What was refused is not one's own. */
  const undo = useCallback((): string | undefined => {
    const last = undos.current.pop();
    if (!last) return undefined;
    const refused = new Set(saving.current().refusals.map((one) => one.wanted.id));
    const back = last.back.filter((one) => !refused.has(one.id));
    queue.add(back.map((one) => ({ ...one, version: mine.get(one.id) ?? one.version })));
    setPace((pace) => ({ ...pace, decided: Math.max(0, pace.decided - 1) }));
    return last.post;
  }, [saving, queue, mine]);
  const dismiss = useCallback(() => saving.dismiss(), [saving]);
  return { drafts, posts, decide, undo, unsaved: isFailing ? overlay.size : 0, refusals, dismiss, pace };
}
