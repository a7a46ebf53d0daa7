import { Dialog } from "../../shared/Dialog";
import { useWords } from "../../words";
import type { ReviewedPost } from "./posts";

/** Asked once, with the number, before everything that is shown is approved. */
export function ApproveAll(props: {
  posts: ReviewedPost[];
  onApprove: (posts: ReviewedPost[]) => void;
  onClose: () => void;
}) {
  const words = useWords();
  return (
    <Dialog label={words.review.approveAll(props.posts.length)} onClose={props.onClose}>
      <p>{words.review.approveAllText}</p>
      <p>
        <button
          type="button"
          className="button main"
          disabled={props.posts.length === 0}
          onClick={() => props.onApprove(props.posts)}
        >
          {words.review.approveAll(props.posts.length)}
        </button>
      </p>
    </Dialog>
  );
}
