import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";

import { api, data, fileBody, queryClient } from "../api/api";
import { FileButton } from "../shared/FileButton";
import { ProblemText } from "../shared/ProblemText";
import { save } from "../shared/save";
import { useToast } from "../shared/Toasts";
import { useWords } from "../words";
import { Drafting } from "./Drafting";
import { FinderFile } from "./FinderFile";
import { FunnelLine, useFunnel } from "./FunnelLine";
import { Posts } from "./Posts";
import styles from "./Replies.module.css";

/** What a project needs to be done with: import, draft, review, export; and its finder.yml. */
export function Project() {
  const words = useWords();
  const { project } = useParams({ from: "/replies/$project" });
  const { posts } = useSearch({ from: "/replies/$project" });
  const found = useQuery({
    queryKey: ["projects", project],
    queryFn: () => data(api.GET("/api/v1/projects/{name}", { params: { path: { name: project } } })),
  });
  const share = useMutation({
    mutationFn: (shared: boolean) =>
      data(api.PATCH("/api/v1/projects/{name}", { params: { path: { name: project } }, body: { shared } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["projects"] }),
  });
  const funnel = useFunnel(project);
  const changed = () => {
    void queryClient.invalidateQueries({ queryKey: ["funnel", project] });
    void queryClient.invalidateQueries({ queryKey: ["posts", project] });
    void queryClient.invalidateQueries({ queryKey: ["drafting", project] });
    void queryClient.invalidateQueries({ queryKey: ["drafts", project] });
  };
  if (found.error) return <ProblemText error={found.error} />;
  return (
    <main className={styles["page"]}>
      <header className={styles["head"]}>
        <h1>
          <Link to="/replies">{words.places.replies}</Link> · {project}
        </h1>
        <label className="soft small">
          <input
            type="checkbox"
            checked={found.data?.shared ?? false}
            onChange={(event) => share.mutate(event.target.checked)}
          />{" "}
          {words.replies.share}
        </label>
      </header>
      <FunnelLine project={project} />
      <div className={styles["steps"]}>
        <Import project={project} onDone={changed} />
        <Drafting project={project} />
        <section aria-label={words.replies.review} className={styles["step"]}>
          <h2>{words.replies.review}</h2>
          <p className="soft">{words.replies.reviewText(funnel.data?.to_review ?? 0)}</p>
          <p>
            <Link className="button" to="/review/$project" params={{ project }} search={{ status: "open" }}>
              {words.replies.reviewAct}
            </Link>
          </p>
        </section>
        <Export project={project} onDone={changed} />
      </div>
      {posts && <Posts project={project} label={posts === "all" ? undefined : posts} />}
      {found.data?.finder !== undefined && <FinderFile project={project} finder={found.data.finder ?? ""} />}
      <ProblemText error={share.error} />
    </main>
  );
}

/** A file of posts: dropped or chosen; rows that can't be read are named by their lines. */
function Import({ project, onDone }: { project: string; onDone: () => void }) {
  const words = useWords();
  const read = useMutation({
    mutationFn: (file: File) =>
      data(
        api.POST("/api/v1/projects/{name}/posts", {
          params: { path: { name: project }, query: { file: file.name } },
          ...fileBody(file),
        }),
      ),
    onSuccess: onDone,
  });
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file) read.mutate(file);
  };
  return (
    <section
      aria-label={words.replies.import}
      className={styles["step"]}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        take(event.dataTransfer.files);
      }}
    >
      <h2>{words.replies.import}</h2>
      <p className="soft">{words.replies.importText}</p>
      <p>
        <FileButton
          text={words.chooseFile}
          accept=".csv,.json,.jsonl,.ndjson,.tsv,.txt"
          disabled={read.isPending}
          onFile={read.mutate}
        />
      </p>
      {read.data && (
        <div role="status" className="small">
          <p>
            {words.replies.imported(read.data.imported, read.data.added, read.data.updated)}
            {read.data.skipped > 0 && ` · ${words.replies.skipped(read.data.skipped)}`}
          </p>
          <ul>
            {read.data.bad_rows.slice(0, 20).map((row) => (
              <li key={row.line} className="problem">
                {words.replies.line(row.line)}: {row.reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <ProblemText error={read.error} />
    </section>
  );
}

/** What was approved as a file, and the file back with what was decided in it. */
function Export({ project, onDone }: { project: string; onDone: () => void }) {
  const words = useWords();
  const approved = usePosts(project, "approved");
  const exported = usePosts(project, "exported");
  const toast = useToast();
  const written = useMutation({
    mutationFn: async (status: "approved" | "exported") =>
      save(
        await data(
          api.POST("/api/v1/projects/{name}/export", {
            params: { path: { name: project } },
            body: { status },
            parseAs: "blob",
          }),
        ),
        `${project}.csv`,
      ),
    onSuccess: onDone,
  });
  const back = useMutation({
    mutationFn: (file: File) =>
      data(
        api.POST("/api/v1/drafts/review", {
          body: file as unknown as string,
          bodySerializer: () => file,
          headers: { "Content-Type": "text/csv" },
        }),
      ),
    onSuccess: () => {
      toast({ text: words.replies.cameBack });
      onDone();
    },
  });
  return (
    <section aria-label={words.replies.export} className={styles["step"]}>
      <h2>{words.replies.export}</h2>
      <p className="soft">{words.replies.exportText(approved)}</p>
      <p className={styles["acts"]}>
        <button
          type="button"
          className="button"
          disabled={approved === 0 || written.isPending}
          onClick={() => written.mutate("approved")}
        >
          {words.replies.exportAct}
        </button>
        {exported > 0 && (
          <button
            type="button"
            className="button"
            disabled={written.isPending}
            onClick={() => written.mutate("exported")}
          >
            {words.replies.exportAgain(exported)}
          </button>
        )}
        <FileButton text={words.replies.importReview} accept=".csv" onFile={back.mutate} />
      </p>
      <ul className="small">
        {problemsOf(back.data).map((row) => (
          <li key={row.line} className="problem">
            {words.replies.line(row.line)}: {row.reason}
          </li>
        ))}
      </ul>
      <ProblemText error={written.error ?? back.error} />
    </section>
  );
}

/** How many posts have a draft that stands so. */
function usePosts(project: string, status: "approved" | "exported"): number {
  const drafts = useQuery({
    queryKey: ["drafts", project, status],
    queryFn: () =>
      data(api.GET("/api/v1/drafts", { params: { query: { project: [project], status: [status], limit: 5000 } } })),
  });
  return new Set(drafts.data?.drafts.map((draft) => draft.post)).size;
}

/** Lines of a reviewed file that could not be taken over, and why. */
function problemsOf(answer: unknown): { line: number; reason: string }[] {
  const { problems } = (answer ?? {}) as { problems?: { line: number; reason: string }[] };
  return problems ?? [];
}
