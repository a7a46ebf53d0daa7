import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useRef, useState } from "react";

import { api, data, type Generation, picture, queryClient } from "../../api/api";
import { isComposing } from "../../shared/keys";
import { ProblemText } from "../../shared/ProblemText";
import { remember, remembered } from "../../shared/settings";
import { useToast } from "../../shared/Toasts";
import { useLater } from "../../shared/useLater";
import { useWords } from "../../words";
import { compose, type Draft, requestOf, useDraft } from "../draft";
import { CameraControl } from "./Camera";
import styles from "./Composer.module.css";
import { ReferenceControl } from "./ReferenceControl";
import { CountControl, ModeControl, RatioControl } from "./rows";
import { Sides } from "./Sides";
import { WholePrompt } from "./WholePrompt";
import { Yours } from "./Yours";

/** What goes with a click: the same for the same content within a second, so that a double click is one generation. */
const once = { content: "", key: "", accepted: true };

function keyFor(content: string): string {
  if (once.accepted || once.content !== content) {
    Object.assign(once, { content, key: crypto.randomUUID(), accepted: false });
    setTimeout(() => {
      if (once.content === content) once.accepted = true;
    }, 1000);
  }
  return once.key;
}

/** What would be made, by what is known now: it follows typing. */
function usePreview(draft: Draft) {
  const request = useLater(JSON.stringify(requestOf(draft)), 200);
  const isAsked = (JSON.parse(request) as { prompt: string }).prompt !== "";
  return useQuery({
    queryKey: ["preview", request],
    queryFn: ({ signal }) => data(api.POST("/api/v1/generations/preview", { body: JSON.parse(request), signal })),
    enabled: isAsked,
    placeholderData: (before) => (isAsked ? before : undefined),
  });
}

/** The composer: a prompt, what goes with it, on one side or two, and what that would take. */
export function Composer({ onMade }: { onMade: () => void }) {
  const words = useWords();
  const draft = useDraft();
  const preview = usePreview(draft);
  const navigate = useNavigate();
  const toast = useToast();
  const [showsPrompt, setShowsPrompt] = useState(false);
  const prompt = useRef<HTMLTextAreaElement>(null);

  const make = useMutation({
    mutationFn: async () => {
      const request = requestOf(draft);
      const key = keyFor(JSON.stringify(request));
      return await data(
        api.POST("/api/v1/generations", {
          body: { request },
          params: { header: { "Idempotency-Key": key } },
        }),
      );
    },
    onSuccess: (made: Generation) => {
      queryClient.setQueryData(["generation", made.generation], made);
      void queryClient.invalidateQueries({ queryKey: ["made"] });
      keepPrompt(draft.prompt);
      onMade();
      void navigate({ to: "/", search: (now) => ({ ...now, in: "made", q: undefined }) });
    },
  });
  const keep = useMutation({
    mutationFn: () => data(api.POST("/api/v1/plans", { body: requestOf(draft) })),
    onSuccess: () => toast({ text: words.composer.kept }),
  });

  const isEmpty = draft.prompt.trim() === "";
  const counts = draft.models.map(() => String(draft.count)).join(" + ");
  const plan = preview.data?.plan;
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && !isEmpty) {
      event.preventDefault();
      make.mutate();
    } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const earlier = earlierPrompt(draft.prompt, event.key === "ArrowUp" ? 1 : -1);
      if (earlier !== null) compose({ prompt: earlier });
    }
  };
  return (
    <form
      aria-label={words.composer.label}
      className={styles["composer"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isEmpty) make.mutate();
      }}
      onKeyDown={onKeyDown}
    >
      <div className={styles["part"]}>
        <label htmlFor="prompt" className="label">
          {words.composer.prompt}
        </label>
        <textarea
          id="prompt"
          ref={prompt}
          className={`field ${styles["prompt"]}`}
          rows={4}
          placeholder={words.composer.promptHint}
          value={draft.prompt}
          onChange={(event) => compose({ prompt: event.target.value })}
        />
        {isEmpty && (
          <ul className={styles["examples"]}>
            {words.composer.examples.map((example) => (
              <li key={example}>
                <button
                  type="button"
                  className="quiet"
                  onClick={() => {
                    compose({ prompt: example });
                    prompt.current?.focus();
                  }}
                >
                  {example}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <Yours />
      <div className={styles["two"]}>
        <ReferenceControl kind="tone" plan={plan} />
        <ReferenceControl kind="angle" plan={plan} />
      </div>
      <div className={styles["rows"]}>
        <ModeControl />
        <CameraControl />
        <RatioControl />
        <CountControl />
      </div>
      <Sides forecast={isEmpty ? undefined : preview.data?.forecast} />
      <div className={styles["foot"]}>
        <ProblemText error={make.error ?? keep.error ?? (isEmpty ? null : preview.error)} />
        <button type="submit" className={styles["make"]} disabled={isEmpty}>
          <span>{words.composer.make(counts)}</span>
          <kbd>{navigator.platform.startsWith("Mac") ? "⌘↵" : "Ctrl ↵"}</kbd>
        </button>
        <p role="status" className="soft small">
          {isEmpty
            ? words.composer.writeFirst
            : preview.data &&
              words.forecast(
                preview.data.forecast.sandbox,
                preview.data.forecast.cost_usd,
                preview.data.forecast.seconds,
              )}
        </p>
        <div className={styles["acts"]}>
          <button type="button" className="quiet" disabled={!plan} onClick={() => setShowsPrompt(true)}>
            {words.composer.seePrompt}
          </button>
          <button type="button" className="quiet" disabled={isEmpty || keep.isPending} onClick={() => keep.mutate()}>
            {words.composer.keepPlan}
          </button>
        </div>
      </div>
      {showsPrompt && plan && (
        <WholePrompt plan={plan} onClose={() => setShowsPrompt(false)} thumbnail={picture.thumbnail} />
      )}
    </form>
  );
}

/** The prompts that were made, the latest first: they are gone through by Alt and the arrows. */
function keptPrompts(): string[] {
  try {
    return JSON.parse(remembered("prompts") ?? "[]") as string[];
  } catch {
    return [];
  }
}

function keepPrompt(prompt: string): void {
  remember("prompts", JSON.stringify([prompt, ...keptPrompts().filter((one) => one !== prompt)].slice(0, 100)));
}

function earlierPrompt(now: string, step: number): string | null {
  const prompts = keptPrompts();
  return prompts[prompts.indexOf(now) + step] ?? null;
}
