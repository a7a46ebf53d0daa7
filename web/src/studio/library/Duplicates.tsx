import { useMutation, useQuery } from "@tanstack/react-query";

import { api, data, picture, queryClient } from "../../api/api";
import type { Schemas } from "../../api/client";
import { Dialog } from "../../shared/Dialog";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import styles from "./library.module.css";

/** Images that show nearly the same, side by side: which are kept is said by a person, and by nobody else. */
export default function Duplicates({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const found = useQuery({
    queryKey: ["library", "duplicates"],
    queryFn: () => data(api.GET("/api/v1/library/duplicates")),
  });
  const settle = useMutation({
    mutationFn: (body: Schemas["SettleDuplicates"]) => data(api.POST("/api/v1/library/duplicates", { body })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["library"] });
      await queryClient.invalidateQueries({ queryKey: ["search"] });
    },
  });
  return (
    <Dialog label={words.duplicates.title} onClose={onClose} isWide>
      <ProblemText error={found.error ?? settle.error} />
      {found.data?.groups.length === 0 && <p className="soft">{words.duplicates.none}</p>}
      <ul className={styles["groups"]}>
        {found.data?.groups.map((group) => {
          const [first] = group;
          if (!first) return null;
          return (
            <li key={first.id}>
              <ul className={styles["beside"]}>
                {group.map((image, place) => (
                  <li key={image.id}>
                    <img src={picture.thumbnail(image.id, 512)} alt={image.caption || image.filename} loading="lazy" />
                    <p className="small">
                      {image.width} × {image.height} · {words.bytes(image.bytes)}
                      {place === 0 && ` · ${words.duplicates.largest}`}
                      <br />
                      <span className="soft">{image.path ?? image.filename}</span>
                    </p>
                  </li>
                ))}
              </ul>
              <p className={styles["acts"]}>
                <button
                  type="button"
                  className="button"
                  disabled={settle.isPending}
                  onClick={() => settle.mutate({ ids: [first.id], keep: "largest" })}
                >
                  {words.duplicates.keepLargest}
                </button>
                <button
                  type="button"
                  className="button"
                  disabled={settle.isPending}
                  onClick={() => settle.mutate({ ids: [first.id], keep: "all" })}
                >
                  {words.duplicates.keepAll}
                </button>
              </p>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
