import { useCallback, useRef, useState } from "react";

import { api, data, fileBody, queryClient } from "../../api/api";
import { Problem } from "../../api/client";
import { useWords } from "../../words";
import styles from "./Uploads.module.css";

interface Upload {
  file: File;
  state: "waiting" | "sent" | "known" | "failed";
  why?: string;
}

/** So many files are on their way at once: the server takes more, a browser's connections are needed for pictures too. */
const AT_ONCE = 3;

/** Files on their way into the library: a row a file; dropping one again is safe, because it is known by its bytes. */
export function useUploads() {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const running = useRef(0);
  const queue = useRef<Upload[]>([]);

  const settle = useCallback((upload: Upload, change: Partial<Upload>) => {
    Object.assign(upload, change);
    setUploads((now) => [...now]);
  }, []);
  const next = useCallback(async () => {
    if (running.current >= AT_ONCE) return;
    const upload = queue.current.shift();
    if (!upload) return;
    running.current++;
    try {
      const answer = await data(
        api.POST("/api/v1/library/images", {
          params: { query: { name: upload.file.name } },
          ...fileBody(upload.file),
        }),
      );
      settle(upload, { state: answer.outcome === "known" ? "known" : "sent" });
    } catch (problem) {
      settle(upload, { state: "failed", why: problem instanceof Problem ? problem.message : String(problem) });
    } finally {
      running.current--;
      if (running.current === 0 && queue.current.length === 0) {
        void queryClient.invalidateQueries({ queryKey: ["library"] });
      }
      void next();
    }
  }, [settle]);
  const start = useCallback(() => {
    for (let at = 0; at < AT_ONCE; at++) void next();
  }, [next]);
  const add = useCallback(
    (files: Iterable<File>) => {
      const added = [...files].map((file): Upload => ({ file, state: "waiting" }));
      if (added.length === 0) return;
      queue.current.push(...added);
      setUploads((now) => [...now.filter((one) => one.state === "waiting" || one.state === "failed"), ...added]);
      start();
    },
    [start],
  );
  const retry = useCallback(() => {
    for (const upload of uploads.filter((one) => one.state === "failed")) {
      settle(upload, { state: "waiting" });
      queue.current.push(upload);
    }
    start();
  }, [uploads, settle, start]);
  const clear = useCallback(() => setUploads([]), []);
  return { uploads, add, retry, clear };
}

/** How the files that were dropped get on. */
export function Uploads({ uploads: { uploads, retry, clear } }: { uploads: ReturnType<typeof useUploads> }) {
  const words = useWords();
  if (uploads.length === 0) return null;
  const failed = uploads.filter((one) => one.state === "failed");
  const known = uploads.filter((one) => one.state === "known").length;
  const done = uploads.filter((one) => one.state !== "waiting").length;
  return (
    <section aria-label={words.grid.uploads} className={styles["uploads"]}>
      <p role="status">
        {words.grid.uploading(done, uploads.length)}
        {failed.length > 0 && ` · ${words.grid.notRead(failed.length)}`}
        {known > 0 && ` · ${words.grid.known(known)}`}
      </p>
      {failed.length > 0 && (
        <ul className="small">
          {failed.map((one) => (
            <li key={one.file.name} className="problem">
              {one.file.name}: {one.why}
            </li>
          ))}
        </ul>
      )}
      {failed.length > 0 && (
        <button type="button" className="quiet" onClick={retry}>
          {words.grid.retryAll}
        </button>
      )}
      {done === uploads.length && (
        <button type="button" className="quiet" onClick={clear}>
          {words.close}
        </button>
      )}
    </section>
  );
}
