import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, data } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Replies.module.css";

const PAGE = 100;

/** Posts of a project, with what they were scored. */
export function Posts({ project, label }: { project: string; label: "green" | "yellow" | "red" | undefined }) {
  const words = useWords();
  const posts = useInfiniteQuery({
    queryKey: ["posts", project, label ?? ""],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/projects/{name}/posts", {
          params: {
            path: { name: project },
            query: { limit: PAGE, ...(label ? { label } : {}), ...(pageParam ? { after: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const all = posts.data?.pages.flatMap((page) => page.posts) ?? [];
  return (
    <section aria-label={words.replies.posts} className={styles["posts"]}>
      <header className={styles["head"]}>
        <h2>{words.replies.posts}</h2>
        <Link to="/replies/$project" params={{ project }} className="quiet">
          {words.close}
        </Link>
      </header>
      <ProblemText error={posts.error} />
      {posts.data && all.length === 0 && <p className="soft">{words.grid.empty}</p>}
      <table className={styles["table"]}>
        <tbody>
          {all.map((post) => (
            <tr key={post.id}>
              <td className="soft">@{post.author}</td>
              <td>
                {post.text}
                {post.left_out && <p className="soft small">{words.replies.leftOut(post.left_out)}</p>}
              </td>
              <td className="soft">{post.topic ?? ""}</td>
              <td data-label={post.label} className={styles["score"]}>
                {post.score?.toFixed(2) ?? ""} {post.label ?? ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {posts.hasNextPage && (
        <button type="button" className="button" disabled={posts.isFetching} onClick={() => void posts.fetchNextPage()}>
          {words.more}
        </button>
      )}
    </section>
  );
}
