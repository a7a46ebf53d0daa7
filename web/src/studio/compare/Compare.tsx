import { useMutation, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { api, data, type Generation, type MadeImage, picture, queryClient } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { useKeys } from "../../shared/keys";
import { ProblemText } from "../../shared/ProblemText";
import { useToast } from "../../shared/Toasts";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import styles from "./Compare.module.css";
import { useTransform } from "./useTransform";
import { Beside, Flip, type Seen, Slider } from "./views";

const VIEWS = ["beside", "slider", "flip"] as const;

/** Two pictures of one place, seen as one likes, and which of them is the better one. */
export default function Compare({ generation: id, onClose }: { generation: string; onClose: () => void }) {
  const words = useWords();
  const look = useLook();
  const toast = useToast();
  const search = useSearch({ from: "/" });
  const [dialog, setDialog] = useState<HTMLDialogElement | null>(null);
  const { transform, attach, reset } = useTransform();
  const [isBlind, setBlind] = useState(false);
  const [chosen, setChosen] = useState<{ [pair: number]: string }>({});
  const generation = useQuery({
    queryKey: ["generation", id],
    queryFn: () => data(api.GET("/api/v1/generations/{id}", { params: { path: { id } } })),
  });
  const pairs = useMemo(() => pairsOf(generation.data), [generation.data]);
  const at = Math.min(Math.max(1, search.pair ?? 1), Math.max(1, pairs.length)) - 1;
  const pair = pairs[at];
  const mode = search.mode ?? "beside";
  // Which of the two stands first while the sides are hidden: by chance, and the same for a pair.
  const swaps = useMemo(() => pairs.map(() => Math.random() < 0.5), [pairs]);
  const isHidden = isBlind && chosen[at] === undefined;
  const [first, second] =
    pair && pair.length === 2 && isBlind && swaps[at] ? [pair[1], pair[0]] : [pair?.[0], pair?.[1]];

  const prefer = useMutation({
    mutationFn: ({ side, place }: { side: string; place: number }) =>
      data(
        api.PUT("/api/v1/generations/{id}/preference", {
          params: { path: { id } },
          body: { place, side, blind: isBlind },
        }),
      ),
    onSuccess: (_, { side }) => {
      setChosen((now) => ({ ...now, [at]: side }));
      void queryClient.invalidateQueries({ queryKey: ["generation", id] });
    },
  });
  const like = useMutation({
    mutationFn: (image: MadeImage) =>
      data(api.PATCH("/api/v1/images/{id}", { params: { path: { id: image.id } }, body: { liked: !image.liked } })),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["generation", id] });
      void queryClient.invalidateQueries({ queryKey: ["made"] });
    },
  });
  const promote = useMutation({
    mutationFn: (image: MadeImage) => data(api.POST("/api/v1/images/promotions", { body: { ids: [image.id] } })),
    onSuccess: () => toast({ text: words.details.promoted }),
  });
  const step = (by: number) => {
    const next = at + by + 1;
    if (next >= 1 && next <= pairs.length) look({ pair: next }, true);
  };
  const choose = (place: 0 | 1) => {
    const image = place === 0 ? first : second;
    if (image && second) prefer.mutate({ side: image.side, place: image.place });
  };
  const winner = chosen[at] ?? generation.data?.preferences.find((one) => one.place === pair?.[0]?.place)?.side;
  const best = [first, second].find((image) => image?.side === winner) ?? first;
  useKeys(
    {
      "1": () => look({ mode: "beside" }, true),
      "2": () => look({ mode: "slider" }, true),
      "3": () => look({ mode: "flip" }, true),
      ["ArrowLeft"]: () => step(-1),
      ["ArrowRight"]: () => step(1),
      a: () => choose(0),
      b: () => choose(1),
      l: () => best && like.mutate(best),
      p: () => best && promote.mutate(best),
      "0": reset,
      e: () => best && look({ compare: undefined, pair: undefined, edit: `made:${best.id}` }),
      i: () => best && look({ compare: undefined, m: best.id }),
    },
    dialog,
  );
  const nameOf = (image: MadeImage | undefined, place: 0 | 1) =>
    isHidden ? (place === 0 ? words.compare.first : words.compare.second) : (image?.side.toUpperCase() ?? "");
  const seen = (image: MadeImage, place: 0 | 1): Seen => ({
    src: picture.made(image.id),
    alt: image.prompt,
    name: nameOf(image, place),
    side: isHidden ? "" : image.side,
  });
  // An edit that is alone at its place is seen beside what it was made of.
  const edit = generation.data?.plan.edit;
  const source = edit?.of ? picture.made(edit.of) : edit?.name ? picture.original(edit.name) : undefined;
  const before: Seen | undefined = source
    ? { src: source, alt: words.edit.original, name: words.compare.before, side: "" }
    : undefined;
  const isAlone = first && !second && before;
  const one = isAlone ? before : first && seen(first, 0);
  const other = isAlone ? seen(first, 0) : second && seen(second, 1);
  const View = mode === "slider" ? Slider : mode === "flip" ? Flip : Beside;
  return (
    <Dialog label={words.compare.title} onClose={onClose} isDark dialog={setDialog}>
      <div className={styles["tools"]}>
        <div role="radiogroup" aria-label={words.compare.view} className="segments">
          {VIEWS.map((view, place) => (
            <label key={view}>
              <input
                type="radio"
                name="view"
                checked={mode === view}
                disabled={view !== "beside" && !other}
                onChange={() => look({ mode: view }, true)}
              />
              {words.compare.views[view]}&ensp;<kbd aria-hidden>{place + 1}</kbd>
            </label>
          ))}
        </div>
        <label className={styles["blind"]}>
          <input
            type="checkbox"
            role="switch"
            aria-checked={isBlind}
            checked={isBlind}
            onChange={(event) => setBlind(event.target.checked)}
          />
          {words.compare.blind}
        </label>
        <button type="button" className="button" disabled={transform.k === 1} onClick={reset}>
          {words.compare.reset} <kbd aria-hidden>0</kbd>
        </button>
        <p role="status" className="soft">
          {words.compare.pair(at + 1, pairs.length)}
          {winner && !isHidden && second && ` · ${words.compare.preferred(winner.toUpperCase())}`}
        </p>
      </div>
      {one && <View transform={transform} attach={attach} first={one} second={other} />}
      <div className={styles["tools"]}>
        <button type="button" className="button" disabled={at === 0} onClick={() => step(-1)}>
          ← {words.details.previous}
        </button>
        <button type="button" className="button" disabled={at + 1 >= pairs.length} onClick={() => step(1)}>
          {words.details.next} →
        </button>
        {second && (
          <>
            <button type="button" className="button" aria-pressed={winner === first?.side} onClick={() => choose(0)}>
              {words.compare.prefer(isHidden ? words.compare.first : "A")} <kbd aria-hidden>A</kbd>
            </button>
            <button type="button" className="button" aria-pressed={winner === second.side} onClick={() => choose(1)}>
              {words.compare.prefer(isHidden ? words.compare.second : "B")} <kbd aria-hidden>B</kbd>
            </button>
          </>
        )}
        {best && !isHidden && (
          <>
            <button type="button" className="button" aria-pressed={best.liked} onClick={() => like.mutate(best)}>
              {best.liked ? "♥" : "♡"} {words.compare.like} <kbd aria-hidden>L</kbd>
            </button>
            <button
              type="button"
              className="button"
              onClick={() => look({ compare: undefined, pair: undefined, edit: `made:${best.id}` })}
            >
              {words.edit.title} <kbd aria-hidden>E</kbd>
            </button>
            <button type="button" className="button" onClick={() => promote.mutate(best)}>
              {words.compare.promote} <kbd aria-hidden>P</kbd>
            </button>
            <button type="button" className="button" onClick={() => look({ compare: undefined, m: best.id })}>
              {words.compare.details} <kbd aria-hidden>I</kbd>
            </button>
            <a className="button" href={`${picture.made(best.id)}?download=true`} download>
              {words.compare.download}
            </a>
          </>
        )}
        <ProblemText error={prefer.error ?? like.error ?? promote.error ?? generation.error} />
      </div>
    </Dialog>
  );
}

/** The images that were made, in pairs of one place; alone where only one side has it. */
function pairsOf(generation: Generation | undefined): MadeImage[][] {
  const byPlace = new Map<number, MadeImage[]>();
  for (const image of generation?.images ?? []) {
    if (image.state === "done") byPlace.set(image.place, [...(byPlace.get(image.place) ?? []), image]);
  }
  const places = [...byPlace.entries()].sort(([a], [b]) => a - b);
  return places.map(([, images]) => images.sort((a, b) => a.side.localeCompare(b.side)));
}
