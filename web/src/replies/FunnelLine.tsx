import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, data } from "../api/api";
import { useWords } from "../words";
import styles from "./Replies.module.css";

export function useFunnel(project: string) {
  return useQuery({
    queryKey: ["funnel", project],
    queryFn: () => data(api.GET("/api/v1/projects/{name}/funnel", { params: { path: { name: project } } })),
  });
}

/** How far a project's posts have come, from what was imported to what was posted; each number opens its list. */
export function FunnelLine({ project }: { project: string }) {
  const words = useWords();
  const { data: funnel } = useFunnel(project);
  if (!funnel) return <p className={styles["funnel"]}>{"\u00a0"}</p>;
  const stages = words.replies.stages;
  const posts = (name: string, count: number, label?: "green" | "yellow" | "red") => (
    <Link to="/replies/$project" params={{ project }} search={label ? { posts: label } : { posts: "all" }}>
      {name} <b>{words.count(count)}</b>
    </Link>
  );
  const review = (name: string, count: number, status: "all" | "open" | "approved") => (
    <Link to="/review/$project" params={{ project }} search={{ status }}>
      {name} <b>{words.count(count)}</b>
    </Link>
  );
  return (
    <ol className={styles["funnel"]} aria-label={words.replies.funnel}>
      <li>{posts(stages.imported, funnel.posts)}</li>
      <li>{posts(stages.green, funnel.green, "green")}</li>
      <li>{posts(stages.yellow, funnel.yellow, "yellow")}</li>
      <li>{posts(stages.red, funnel.red, "red")}</li>
      <li>{review(stages.drafted, funnel.drafted, "all")}</li>
      <li>{review(stages.toReview, funnel.to_review, "open")}</li>
      <li>{review(stages.approved, funnel.approved, "approved")}</li>
      <li>
        {stages.posted} <b>{words.count(funnel.posted)}</b>
      </li>
    </ol>
  );
}
