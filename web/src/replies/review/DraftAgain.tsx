import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, type Draft, data } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { ProblemText } from "../../shared/ProblemText";
import { useToast } from "../../shared/Toasts";
import { useWords } from "../../words";
import styles from "./Review.module.css";

/** What else may be asked for: of posts that are named none of it counts. */
const USUAL = {
  greens_only: false,
  hours_back: 24,
  max_candidates: 1,
  max_cost_usd: null,
  min_followers: 0,
  min_likes: 0,
  min_views: 0,
  skip_low_scores: false,
  use_gate: false,
};

/** Other drafts for the same post, with a word on what to do better. */
export function DraftAgain({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const words = useWords();
  const toast = useToast();
  // One thing is wanted, however often it is sent.
  const [key] = useState(() => crypto.randomUUID());
  // By the model that drafted it the first time.
  const job = useQuery({
    queryKey: ["jobs", draft.job],
    queryFn: () => data(api.GET("/api/v1/jobs/{id}", { params: { path: { id: draft.job } } })),
  });
  const again = useMutation({
    mutationFn: (hint: string) =>
      data(
        api.POST("/api/v1/projects/{name}/drafting", {
          params: { path: { name: draft.project }, header: { "Idempotency-Key": key } },
          body: { ...USUAL, posts: [draft.post], hint: hint || null, model: job.data?.model ?? null },
        }),
      ),
    onSuccess: () => {
      toast({ text: words.review.againSent });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    again.mutate(String(new FormData(event.currentTarget).get("hint") ?? "").trim());
  };
  return (
    <Dialog label={words.review.again} onClose={onClose}>
      <form onSubmit={submit} className={styles["again"]}>
        <p className="soft">{draft.post_text}</p>
        <label>
          <span className="label">{words.review.hint}</span>
          <input data-first className="field" name="hint" maxLength={500} placeholder={words.review.hintExample} />
        </label>
        <ProblemText error={again.error} />
        <p>
          <button type="submit" className="button main" disabled={again.isPending || job.isPending}>
            {words.review.again}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
