import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, queryClient } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useToast } from "../shared/Toasts";
import { useLater } from "../shared/useLater";
import { useWords } from "../words";
import { FinderForm } from "./FinderForm";
import styles from "./Replies.module.css";

/** A project's finder.yml, checked as it is typed: what is looked for, what is left out, in what voice it is answered. */
export function FinderFile({ project, finder }: { project: string; finder: string }) {
  const words = useWords();
  const toast = useToast();
  const [text, setText] = useState(finder);
  const typed = useLater(text, 300);
  const check = useQuery({
    queryKey: ["finder", typed],
    queryFn: ({ signal }) =>
      data(api.POST("/api/v1/finder/check", { body: { finder: typed }, signal })).then(() => true),
    retry: false,
  });
  const write = useMutation({
    mutationFn: () =>
      data(api.PUT("/api/v1/projects/{name}/finder", { params: { path: { name: project } }, body: { finder: text } })),
    onSuccess: async () => {
      toast({ text: words.saved });
      await queryClient.invalidateQueries({ queryKey: ["projects"] });
      await queryClient.invalidateQueries({ queryKey: ["drafting", project] });
      await queryClient.invalidateQueries({ queryKey: ["posts", project] });
    },
  });
  const isChanged = text !== finder;
  return (
    <section aria-label="finder.yml" className={styles["finder"]}>
      <h2>finder.yml</h2>
      <p className="soft small">{words.replies.finderHint}</p>
      <div className={styles["both"]}>
        <FinderForm project={project} text={text} onChange={setText} />
        <textarea
          className={`field ${styles["file"]}`}
          aria-label="finder.yml"
          spellCheck={false}
          rows={Math.min(40, text.split("\n").length + 1)}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <ProblemText error={write.error ?? check.error} />
      <p className={styles["acts"]}>
        <button
          type="button"
          className="button"
          disabled={!isChanged || check.isError || write.isPending}
          onClick={() => write.mutate()}
        >
          {words.settings.write}
        </button>
        {isChanged && (
          <button type="button" className="quiet" onClick={() => setText(finder)}>
            {words.undo}
          </button>
        )}
      </p>
    </section>
  );
}
