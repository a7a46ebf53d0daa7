import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

import { isComposing, useKeys } from "../../shared/keys";
import { ProblemText } from "../../shared/ProblemText";
import { useToast } from "../../shared/Toasts";
import { useWords } from "../../words";
import { ApproveAll } from "./ApproveAll";
import { DraftAgain } from "./DraftAgain";
import { PostList } from "./PostList";
import { approving, firstChoice, type ReviewedPost, rejecting } from "./posts";
import styles from "./Review.module.css";
import { useReview } from "./useReview";
import { Why } from "./Why";

/** A post after the other with its drafts: approve, edit or reject by one finger, and go on. */
export function Review() {
  const words = useWords();
  const { project } = useParams({ from: "/review/$project" });
  const { post: at, status, label } = useSearch({ from: "/review/$project" });
  const navigate = useNavigate();
  const toast = useToast();
  const review = useReview(project);
  // Which posts are shown is settled as one comes: a post that is decided about does not jump away.
  const posts = useShown(review.posts, status ?? "all", label);
  const place = Math.max(
    0,
    posts.findIndex((post) => post.id === at),
  );
  const post = posts[place];
  const [chosen, setChosen] = useState<string | null>(null);
  const [mode, setMode] = useState<"look" | "edit" | "reject" | "again" | "all">("look");
  const draft = post?.drafts.find((one) => one.id === chosen) ?? (post && firstChoice(post));

  const go = useCallback(
    (to: ReviewedPost | undefined) => {
      setChosen(null);
      setMode("look");
      if (!to) return;
      void navigate({
        to: "/review/$project",
        params: { project },
        search: (now) => ({ ...now, post: to.id }),
        replace: true,
      });
    },
    [navigate, project],
  );
  const goOn = () => {
    const open = (one: ReviewedPost) => one.standing === "open" && one.id !== post?.id;
    go(posts.slice(place + 1).find(open) ?? posts.find(open) ?? posts[place + 1]);
  };
  const editor = useRef<HTMLTextAreaElement>(null);
  const approve = () => {
    if (!post || !draft) return;
    const text = mode === "edit" ? editor.current?.value.trim() || undefined : undefined;
    review.decide(post, approving(post, draft, text));
    goOn();
  };
  const reject = (reason: string) => {
    if (!post) return;
    review.decide(post, rejecting(post, reason));
    goOn();
  };
  const undo = () => {
    const back = review.undo();
    if (back) go(posts.find((one) => one.id === back));
  };
  const copy = async () => {
    if (!draft) return;
    await navigator.clipboard.writeText(draft.text);
    toast({ text: words.review.copied });
  };
  const number = (n: number) => () => {
    const reason = words.review.reasons[n - 1];
    if (mode === "reject" && reason) reject(reason);
    else setChosen(post?.drafts[n - 1]?.id ?? null);
  };
  // What comes in meanwhile does not take the place of the post that is looked at.
  useEffect(() => {
    if (at === undefined && post) go(post);
  }, [at, post, go]);
  useKeys({
    j: () => go(posts[place + 1]),
    k: () => go(posts[place - 1]),
    ["ArrowDown"]: () => go(posts[place + 1]),
    ["ArrowUp"]: () => go(posts[place - 1]),
    "1": number(1),
    "2": number(2),
    "3": number(3),
    "4": number(4),
    "5": number(5),
    ["Enter"]: (event) => (event.shiftKey ? setMode("all") : approve()),
    e: () => setMode("edit"),
    x: () => setMode(mode === "reject" ? "look" : "reject"),
    ["Escape"]: () => mode !== "look" && setMode("look"),
    s: () => goOn(),
    c: () => void copy(),
    o: () => draft?.url && open(draft.url, "_blank", "noopener"),
    g: () => setMode("again"),
    z: undo,
  });
  if (review.drafts.error) return <ProblemText error={review.drafts.error} />;
  if (!review.drafts.data) return <main className={styles["review"]} aria-busy />;
  const decided = posts.filter((one) => one.standing !== "open").length;
  return (
    <main className={styles["review"]}>
      <aside className={styles["list"]}>
        <Head project={project} decided={decided} all={posts.length} pace={review.pace} />
        <PostList posts={posts} at={place} onOpen={go} />
      </aside>
      {!post || !draft ? (
        <p className={styles["empty"]}>{words.review.nothing}</p>
      ) : (
        <>
          <section className={styles["desk"]} aria-label={words.review.post}>
            <Standing review={review} />
            <article className={styles["post"]}>
              <p className="soft">
                @{draft.author} · {words.review.followers(draft.followers)} ·{" "}
                {words.ago(new Date(draft.posted_at), new Date())} · {words.review.likes(draft.likes)}
              </p>
              <p className={styles["text"]}>{draft.post_text}</p>
            </article>
            <Drafts
              post={post}
              chosen={draft.id}
              isEditing={mode === "edit"}
              onChoose={setChosen}
              editor={editor}
              onSave={approve}
              onLeave={() => setMode("look")}
            />
            {mode === "reject" && (
              <div role="group" aria-label={words.review.reject} className={styles["reasons"]}>
                {words.review.reasons.map((reason, n) => (
                  <button key={reason} type="button" className="button" onClick={() => reject(reason)}>
                    {reason} <kbd>{n + 1}</kbd>
                  </button>
                ))}
              </div>
            )}
            <div className={styles["acts"]}>
              <button type="button" className="button main" onClick={() => approve()}>
                {words.review.approve} <kbd>↵</kbd>
              </button>
              <button type="button" className="button" onClick={() => setMode("edit")}>
                {words.review.edit} <kbd>E</kbd>
              </button>
              <button
                type="button"
                className="button"
                aria-expanded={mode === "reject"}
                onClick={() => setMode(mode === "reject" ? "look" : "reject")}
              >
                {words.review.reject} <kbd>X</kbd>
              </button>
              <button type="button" className={`button ${styles["rare"]}`} onClick={() => setMode("again")}>
                {words.review.again} <kbd>G</kbd>
              </button>
              <span className={styles["gap"]} />
              <button type="button" className="button" onClick={goOn}>
                {words.review.later} <kbd>S</kbd>
              </button>
              <button type="button" className={`button ${styles["rare"]}`} onClick={undo}>
                {words.undo} <kbd>Z</kbd>
              </button>
            </div>
          </section>
          <Why draft={draft} onCopy={() => void copy()} />
        </>
      )}
      {mode === "again" && draft && <DraftAgain draft={draft} onClose={() => setMode("look")} />}
      {mode === "all" && (
        <ApproveAll
          posts={posts.filter((one) => one.standing === "open")}
          onClose={() => setMode("look")}
          onApprove={(open) => {
            for (const one of open) {
              const first = firstChoice(one);
              if (first) review.decide(one, approving(one, first));
            }
            setMode("look");
          }}
        />
      )}
    </main>
  );
}

/** What is shown: those that stand so when they come, and whatever they become while one is here. */
function useShown(posts: ReviewedPost[], status: string, label: string | undefined): ReviewedPost[] {
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const fits = (post: ReviewedPost) =>
    (status === "all" || post.standing === status) && (!label || post.drafts[0]?.label === label);
  const shown = posts.filter((post) => kept.has(post.id) || fits(post));
  useEffect(() => {
    if (shown.some((post) => !kept.has(post.id))) setKept(new Set(shown.map((post) => post.id)));
  });
  return shown;
}

function Head(props: { project: string; decided: number; all: number; pace: { decided: number; seconds: number } }) {
  const words = useWords();
  const each = props.pace.decided > 0 ? props.pace.seconds / props.pace.decided : null;
  const left = each === null ? null : each * (props.all - props.decided);
  return (
    <header className={styles["head"]}>
      <h1>{words.review.of(words.count(props.decided), words.count(props.all))}</h1>
      <p className="soft small">
        {each === null || left === null ? props.project : words.review.pace(each.toFixed(1), words.seconds(left))}
      </p>
    </header>
  );
}

/** What is not saved yet, and what somebody else has decided otherwise. */
function Standing({ review }: { review: ReturnType<typeof useReview> }) {
  const words = useWords();
  return (
    <>
      <p role="status" className="small">
        {review.unsaved > 0 ? words.review.unsaved(review.unsaved) : ""}
      </p>
      {review.refusals.length > 0 && (
        <div role="alert" className={styles["refusals"]}>
          <ul>
            {review.refusals.slice(-3).map((one) => (
              <li key={one.wanted.id}>
                {words.review.refused(one.draft?.post_text.slice(0, 60) ?? one.wanted.id, one.why, one.draft?.status)}
              </li>
            ))}
          </ul>
          <button type="button" className="quiet" onClick={review.dismiss}>
            {words.close}
          </button>
        </div>
      )}
    </>
  );
}

/** A post's drafts; the chosen one can be edited in its place. */
function Drafts(props: {
  post: ReviewedPost;
  chosen: string;
  isEditing: boolean;
  onChoose: (id: string) => void;
  editor: RefObject<HTMLTextAreaElement | null>;
  onSave: () => void;
  onLeave: () => void;
}) {
  const words = useWords();
  return (
    <div
      // While one of them is a field they are no choice.
      {...{ role: props.isEditing ? "group" : "listbox", "aria-label": words.review.drafts }}
      className={styles["drafts"]}
    >
      {props.post.drafts.map((draft, n) =>
        draft.id === props.chosen && props.isEditing ? (
          <textarea
            key={draft.id}
            // It was asked for by a key: the text is what is worked on now.
            // biome-ignore lint/a11y/noAutofocus: editing begins where the draft stood
            autoFocus
            className={`field ${styles["editor"]}`}
            aria-label={words.review.edit}
            ref={props.editor}
            rows={4}
            defaultValue={draft.text}
            onKeyDown={(event) => {
              if (isComposing(event.nativeEvent)) return;
              if (event.key === "Escape") props.onLeave();
              else if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) props.onSave();
            }}
          />
        ) : (
          <button
            key={draft.id}
            type="button"
            {...(props.isEditing ? {} : { role: "option", "aria-selected": draft.id === props.chosen })}
            data-enter={draft.id === props.chosen ? "page" : undefined}
            className={styles["draft"]}
            data-status={draft.status}
            onClick={() => props.onChoose(draft.id)}
          >
            <kbd>{n + 1}</kbd>
            <span className={styles["words"]}>{draft.text}</span>
            <span className="soft small">
              {draft.kind.replaceAll("_", " ")}
              {draft.status !== "pending" && ` · ${words.review.statuses[draft.status as "approved"] ?? draft.status}`}
            </span>
          </button>
        ),
      )}
      {props.isEditing && <p className="soft small">{words.review.editHint}</p>}
    </div>
  );
}
