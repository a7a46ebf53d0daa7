import { useMutation } from "@tanstack/react-query";

import { api, data, type Generation, type MadeImage, type Plan, picture, queryClient } from "../../api/api";
import { useWords } from "../../words";
import { compose } from "../draft";
import { useLook } from "../Studio";
import styles from "./GenerationCard.module.css";

/** One image that was asked for, in whatever state it is. */
export function Tile({ image, name, plan, now }: { image: MadeImage; name: string; plan: Plan; now: Date }) {
  const words = useWords();
  const look = useLook();
  const retry = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/generations/{id}/retry", {
          params: { path: { id: image.generation }, header: { "Idempotency-Key": crypto.randomUUID() } },
          body: { image: image.id },
        }),
      ),
    onSuccess: (next: Generation) => queryClient.setQueryData(["generation", next.generation], next),
  });
  const ratio = image.width && image.height ? image.width / image.height : plan.width / plan.height;
  const state = stateOf(image);
  const text = words.generation.states[state];
  const label = words.generation.tile(name, text);
  if (state === "done") {
    const other =
      image.width && image.height && Math.abs(ratio - plan.width / plan.height) > 0.02
        ? words.generation.otherSize(`${image.width} × ${image.height}`, `${plan.width} × ${plan.height}`)
        : undefined;
    return (
      <li className={styles["tile"]} style={{ aspectRatio: ratio }}>
        <button type="button" aria-label={label} title={other} onClick={() => look({ m: image.id })}>
          <img src={picture.madeThumbnail(image.id)} alt="" loading="lazy" decoding="async" />
        </button>
      </li>
    );
  }
  const since = Math.max(0, (now.getTime() - new Date(image.created_at).getTime()) / 1000);
  return (
    <li className={styles["tile"]} style={{ aspectRatio: ratio }}>
      <div
        role="group"
        aria-label={label}
        className={`${styles["state"]} ${state === "blocked" || state === "failed" ? "hatch" : ""}`}
      >
        <b>{text}</b>
        {(state === "waiting" || state === "making") && <span>{words.seconds(since)}</span>}
        {image.message && state !== "waiting" && <span className={styles["why"]}>{image.message}</span>}
        {state === "blocked" && (
          <button
            type="button"
            className="quiet"
            onClick={() => {
              compose({ prompt: image.prompt });
              document.getElementById("prompt")?.focus();
            }}
          >
            {words.generation.changePrompt}
          </button>
        )}
        {(state === "blocked" || state === "failed" || state === "cancelled") && (
          <button type="button" className="quiet" disabled={retry.isPending} onClick={() => retry.mutate()}>
            {words.generation.retry(name)}
          </button>
        )}
      </div>
    </li>
  );
}

type State = "waiting" | "making" | "done" | "blocked" | "failed" | "cancelled" | "broken";

function stateOf(image: MadeImage): State {
  switch (image.state) {
    case "pending":
      return image.attempts > 0 ? "making" : "waiting";
    case "done":
    case "blocked":
    case "failed":
    case "cancelled":
    case "broken":
      return image.state;
    default:
      return "failed";
  }
}
