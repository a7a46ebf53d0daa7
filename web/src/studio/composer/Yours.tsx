import { type ClipboardEvent, type DragEvent, useState } from "react";

import { api, data, fileBody, picture } from "../../api/api";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { compose, pick, useDraft } from "../draft";
import styles from "./Yours.module.css";

/** One's own pictures, in the order in which they are sent: dropped, pasted, or picked in the grid. */
export function Yours() {
  const words = useWords();
  const { picks } = useDraft();
  const [error, setError] = useState<Error | null>(null);
  const take = async (files: Iterable<File>) => {
    setError(null);
    for (const file of files) {
      if (!file.type.startsWith("image/")) continue;
      try {
        const upload = await data(
          api.POST("/api/v1/uploads", {
            params: { query: { name: file.name } },
            ...fileBody(file),
          }),
        );
        pick({ pick: { upload: upload.id }, name: file.name, thumbnail: picture.upload(upload.id) });
      } catch (problem) {
        setError(problem instanceof Error ? problem : new Error(String(problem)));
      }
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length > 0) void take(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    void take(event.dataTransfer.files);
  };
  return (
    <section
      aria-label={words.composer.yours}
      className={styles["yours"]}
      onPaste={onPaste}
      onDrop={onDrop}
      onDragOver={(event) => event.preventDefault()}
    >
      <p className="label">{words.composer.yours}</p>
      {picks.length === 0 && (
        <label className={styles["hint"]}>
          {words.composer.yoursHint}
          <input
            type="file"
            accept="image/*"
            multiple
            className="hidden"
            onChange={(event) => {
              void take(event.target.files ?? []);
              event.target.value = "";
            }}
          />
        </label>
      )}
      <ul className={styles["picks"]}>
        {picks.map((one) => (
          <li key={one.thumbnail}>
            <img src={one.thumbnail} alt={one.name} />
            <button
              type="button"
              aria-label={words.composer.remove(one.name)}
              onClick={() => compose({ picks: picks.filter((other) => other !== one) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <ProblemText error={error} />
    </section>
  );
}
