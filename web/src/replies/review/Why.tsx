import type { Draft } from "../../api/api";
import { useWords } from "../../words";
import styles from "./Review.module.css";

/** Why a post was drafted for: its score, what that is made of, and where the draft comes from. */
export function Why({ draft, onCopy }: { draft: Draft; onCopy: () => void }) {
  const words = useWords();
  const { terms } = draft;
  const rows = terms && [
    [words.review.terms.velocity, terms.velocity],
    [words.review.terms.relevance, terms.relevance],
    [words.review.terms.openness, terms.openness],
    [words.review.terms.author, terms.author_quality],
  ];
  return (
    <aside className={styles["why"]} aria-label={words.review.why}>
      <h2 className="label">{words.review.score}</h2>
      <p className={styles["score"]}>
        {draft.score?.toFixed(2) ?? "–"} <span data-label={draft.label}>{draft.label ?? ""}</span>
      </p>
      {rows && (
        <dl className={styles["terms"]}>
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <i style={{ width: `${Number(value) * 100}%` }} />
                <span>{Number(value).toFixed(2)}</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {draft.topic && (
        <>
          <h2 className="label">{words.review.topic}</h2>
          <p>{draft.topic}</p>
        </>
      )}
      {draft.reason && (
        <>
          <h2 className="label">{words.review.reason}</h2>
          <p>{draft.reason}</p>
        </>
      )}
      <p className={styles["links"]}>
        <button type="button" className="button" onClick={onCopy}>
          {words.composer.copy} <kbd>C</kbd>
        </button>
        {draft.url && (
          <a className="button" href={draft.url} target="_blank" rel="noreferrer noopener">
            {words.review.open} <kbd>O</kbd>
          </a>
        )}
      </p>
      <p className={`soft small ${styles["keys"]}`}>
        <kbd>J</kbd> <kbd>K</kbd> {words.review.move} <kbd>1–5</kbd> {words.review.choose} <kbd>?</kbd>{" "}
        {words.keys.title}
      </p>
    </aside>
  );
}
