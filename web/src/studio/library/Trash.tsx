import { useMutation, useQuery } from "@tanstack/react-query";

import { api, data, queryClient } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import styles from "./library.module.css";

/** What was deleted in the last 30 days, and the way back. */
export default function Trash({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const trash = useQuery({
    queryKey: ["library", "trash"],
    queryFn: () => data(api.GET("/api/v1/trash", { params: { query: { limit: 500 } } })),
  });
  const restore = useMutation({
    mutationFn: (ids: string[]) => data(api.POST("/api/v1/trash/restorations", { body: { ids } })),
    onSuccess: () => queryClient.invalidateQueries(),
  });
  const now = new Date();
  return (
    <Dialog label={words.trash.title} onClose={onClose}>
      <p className="soft">{words.trash.text}</p>
      <ProblemText error={trash.error ?? restore.error} />
      {trash.data?.trash.length === 0 && <p className="soft">{words.trash.empty}</p>}
      <ul className={styles["rows"]}>
        {trash.data?.trash.map((one) => (
          <li key={one.id}>
            <span>
              {one.label || one.name}{" "}
              <span className="soft small">
                {words.trash.kinds[one.kind as "image"] ?? one.kind} · {words.ago(new Date(one.deleted_at), now)}
              </span>
            </span>
            <button
              type="button"
              className="quiet"
              disabled={restore.isPending}
              aria-label={words.trash.restoreOne(one.label || one.name)}
              onClick={() => restore.mutate([one.id])}
            >
              {words.trash.restore}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
