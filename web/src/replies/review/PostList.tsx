import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import { useWords } from "../../words";
import type { ReviewedPost } from "./posts";
import styles from "./Review.module.css";

const ROW = 38;

/** All posts of the sitting, in the order of their scores; only those in sight are there. */
export function PostList(props: { posts: ReviewedPost[]; at: number; onOpen: (post: ReviewedPost) => void }) {
  const words = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: props.posts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows the post that is open
  useEffect(() => virtual.scrollToIndex(props.at, { align: "auto" }), [props.at]);
  return (
    <div ref={scroller} className={styles["scroller"]}>
      <ul aria-label={words.review.posts} className={styles["rows"]} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const post = props.posts[item.index];
          const first = post?.drafts[0];
          if (!post || !first) return null;
          return (
            <li key={post.id} style={{ transform: `translateY(${item.start}px)` }}>
              <button
                type="button"
                aria-current={item.index === props.at ? "true" : undefined}
                data-standing={post.standing}
                data-enter={item.index === props.at ? "page" : undefined}
                className={styles["row"]}
                onClick={() => props.onOpen(post)}
              >
                <i className={styles["dot"]} data-label={first.label} />
                <span className={styles["excerpt"]}>{first.post_text}</span>
                <span className="soft small">
                  {post.standing === "open" ? (first.score?.toFixed(2) ?? "") : words.review.statuses[post.standing]}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
