import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, data, type Generation, queryClient } from "../../api/api";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { compose, draftOf, requestOf } from "../draft";
import { useLook } from "../Studio";
import styles from "./GenerationCard.module.css";
import { Tile } from "./Tile";

/** Everything that was asked for at once: a row a side, its images as they come, what it cost, and what can be done. */
export function GenerationCard({ id }: { id: string }) {
  const words = useWords();
  const look = useLook();
  const generation = useQuery({
    queryKey: ["generation", id],
    queryFn: () => data(api.GET("/api/v1/generations/{id}", { params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const put = (next: Generation) => {
    queryClient.setQueryData(["generation", next.generation], next);
    void queryClient.invalidateQueries({ queryKey: ["made"] });
  };
  const again = useMutation({
    mutationFn: (seed: number | null) =>
      data(
        api.POST("/api/v1/generations/{id}/again", {
          params: { path: { id }, header: { "Idempotency-Key": crypto.randomUUID() } },
          body: { seed },
        }),
      ),
    onSuccess: put,
  });
  const redraw = useMutation({
    mutationFn: () => {
      if (!generation.data) throw new Error("there is no plan yet");
      const draft = { ...draftOf(generation.data.plan), draw: Math.floor(Math.random() * 2 ** 31) };
      return data(
        api.POST("/api/v1/generations", {
          params: { header: { "Idempotency-Key": crypto.randomUUID() } },
          body: { request: requestOf(draft) },
        }),
      );
    },
    onSuccess: put,
  });
  const cancel = useMutation({
    mutationFn: () => data(api.POST("/api/v1/generations/{id}/cancel", { params: { path: { id } } })),
    onSuccess: put,
  });
  const now = useNow(generation.data?.images.some((image) => image.state === "pending") ?? false);
  if (!generation.data) return <div className={styles["card"]} aria-hidden style={{ minHeight: 180 }} />;
  const { images, plan, prompt, created_at } = generation.data;
  const title = prompt.split("\n")[0] ?? prompt;
  const done = images.filter((image) => image.state === "done");
  const isOpen = images.some((image) => image.state === "pending");
  const cost = images.reduce((sum, image) => sum + (image.cost_usd ?? 0), 0);
  const isFree = plan.sides.every((side) => side.model.startsWith("sandbox"));
  return (
    <article className={styles["card"]} aria-label={title}>
      <header className={styles["head"]}>
        <h2>{title}</h2>
        <time className="soft" dateTime={created_at}>
          {words.ago(new Date(created_at), now)}
        </time>
      </header>
      {plan.sides.map((side) => {
        const letter = side.name.toUpperCase();
        const ofSide = images.filter((image) => image.side === side.name).sort((a, b) => a.place - b.place);
        const cameBy = ofSide.filter((image) => image.state === "done").length;
        return (
          <div key={side.name} className={styles["lane"]}>
            <p className="small soft">
              <span className={side.name === "a" ? "side-a" : "side-b"}>{letter}</span>{" "}
              <span className={styles["model"]}>{side.model.replace(/^(gemini|openai|sandbox):/, "")}</span>
              <br />
              {words.generation.foot(cameBy, ofSide.length)}
            </p>
            <ul className={styles["tiles"]}>
              {ofSide.map((image) => (
                <Tile key={image.id} image={image} name={`${letter} ${image.place}`} plan={plan} now={now} />
              ))}
            </ul>
          </div>
        );
      })}
      {isOpen && (
        <div
          role="progressbar"
          aria-label={words.generation.progress(done.length, images.length)}
          aria-valuemin={0}
          aria-valuemax={images.length}
          aria-valuenow={done.length}
          className={styles["progress"]}
        >
          <i style={{ width: `${(done.length / images.length) * 100}%` }} />
        </div>
      )}
      <footer className={styles["foot"]}>
        <span>
          <b>{words.generation.foot(done.length, images.length)}</b> ·{" "}
          {isFree ? words.generation.free : words.money(cost)}
          {isFree && cost > 0 && <span className="soft"> · {words.composer.wouldCost(words.money(cost))}</span>}
        </span>
        <div>
          <button
            type="button"
            className="quiet"
            disabled={done.length === 0}
            onClick={() => look({ compare: id, pair: 1 })}
          >
            {words.generation.compare}
          </button>
          <button type="button" className="quiet" disabled={again.isPending} onClick={() => again.mutate(null)}>
            {words.generation.again}
          </button>
          {!plan.edit && (
            <button type="button" className="quiet" disabled={redraw.isPending} onClick={() => redraw.mutate()}>
              {words.generation.redraw}
            </button>
          )}
          <button
            type="button"
            className="quiet"
            onClick={() => {
              compose(draftOf(plan));
              document.getElementById("prompt")?.focus();
            }}
          >
            {words.generation.toComposer}
          </button>
          {isOpen && (
            <button type="button" className="quiet" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
              {words.generation.cancel}
            </button>
          )}
        </div>
      </footer>
      <ProblemText error={again.error ?? redraw.error ?? cancel.error} />
    </article>
  );
}

/** The time, again and again while something is under way. */
function useNow(isOpen: boolean): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => setNow(new Date()), 1000);
    return () => clearInterval(timer);
  }, [isOpen]);
  return now;
}
