import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { api, data, queryClient } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import { EXAMPLE } from "./example";
import { FunnelLine } from "./FunnelLine";
import styles from "./Replies.module.css";

/** The projects, each with how far its posts have come. */
export function Replies() {
  const words = useWords();
  const [isAdding, setAdding] = useState(false);
  const projects = useQuery({ queryKey: ["projects"], queryFn: () => data(api.GET("/api/v1/projects")) });
  const isEmpty = projects.data?.projects.length === 0;
  return (
    <main className={styles["page"]}>
      <header className={styles["head"]}>
        <h1>{words.places.replies}</h1>
        {!isEmpty && !isAdding && (
          <button type="button" className="button" onClick={() => setAdding(true)}>
            {words.replies.newProject}
          </button>
        )}
      </header>
      <ProblemText error={projects.error} />
      {isEmpty && <p className="soft">{words.replies.none}</p>}
      {(isAdding || isEmpty) && <NewProject onClose={() => setAdding(false)} />}
      <ul className={styles["projects"]}>
        {projects.data?.projects.map((project) => (
          <li key={project.project}>
            <h2>
              <Link to="/replies/$project" params={{ project: project.project }}>
                {project.project}
              </Link>{" "}
              {project.shared && <span className="soft small">{words.replies.shared}</span>}
            </h2>
            <p className="soft small">{project.topics.join(" · ")}</p>
            <FunnelLine project={project.project} />
          </li>
        ))}
      </ul>
    </main>
  );
}

/** A name and a finder.yml, which says what is looked for and in what voice it is answered. */
function NewProject({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const navigate = useNavigate();
  const add = useMutation({
    mutationFn: (body: { name: string; finder: string }) => data(api.POST("/api/v1/projects", { body })),
    onSuccess: async (added) => {
      await queryClient.invalidateQueries({ queryKey: ["projects"] });
      onClose();
      void navigate({ to: "/replies/$project", params: { project: added.project } });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate({ name: String(form.get("name")).trim(), finder: String(form.get("finder")) });
  };
  return (
    <form className={styles["form"]} aria-label={words.replies.newProject} onSubmit={submit}>
      <label>
        <span className="label">{words.signIn.name}</span>
        <input className="field" name="name" required maxLength={64} pattern="[\p{L}\p{N}][\p{L}\p{N}_.\-]*" />
      </label>
      <label>
        <span className="label">finder.yml</span>
        <textarea className={`field ${styles["file"]}`} name="finder" rows={16} defaultValue={EXAMPLE} required />
        <span className="soft small">{words.replies.finderHint}</span>
      </label>
      <ProblemText error={add.error} />
      <p className={styles["acts"]}>
        <button type="submit" className="button" disabled={add.isPending}>
          {words.replies.add}
        </button>
        <button type="button" className="quiet" onClick={onClose}>
          {words.close}
        </button>
      </p>
    </form>
  );
}
