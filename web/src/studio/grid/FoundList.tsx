import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";

import { api, data, type Hit } from "../../api/api";
import { useKeys } from "../../shared/keys";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { compose } from "../draft";
import { useLook } from "../Studio";
import { usePictureKeys } from "./actions";
import { Grid } from "./Grid";
import { cellOf, useLayout } from "./LibraryList";
import styles from "./lists.module.css";
import { SelectionBar } from "./SelectionBar";
import { useDensity } from "./useDensity";
import { useSelection } from "./useSelection";

const MOST = 200;

/** What a search has found; where nothing matches, what is nearest and the ways out. */
export function FoundList({ scroller }: { scroller: HTMLElement | null }) {
  const words = useWords();
  const look = useLook();
  const { q, f, like, color, upload } = useSearch({ from: "/" });
  const [showsWhy, setShowsWhy] = useState(false);
  useKeys({ w: () => setShowsWhy(!showsWhy) });
  const found = useQuery({
    queryKey: ["search", q ?? "", f ?? [], like ?? "", color ?? "", upload ?? ""],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/v1/search", {
          params: {
            query: {
              ...(q ? { q } : {}),
              ...(f ? { filter: f } : {}),
              ...(like ? { like } : {}),
              ...(color ? { color } : {}),
              ...(upload ? { upload } : {}),
              limit: MOST,
            },
          },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });
  const layout = useLayout();
  const hits = found.data?.hits ?? [];
  const nearest = found.data?.nearest ?? [];
  const { height, control } = useDensity();
  const all = words.count(layout.data?.ratios.length ?? hits.length);
  if (found.error) return <ProblemText error={found.error} />;
  if (!found.data) return null;
  return (
    <>
      <div className={styles["head"]}>
        <p role="status" className="soft small">
          {hits.length === 0 ? words.grid.nothing(all) : words.grid.of(words.count(found.data.total), all)}
          {found.data.words_only && ` · ${words.grid.wordsOnly(found.data.words_only)}`}
        </p>
        <span className={styles["acts"]}>
          <button type="button" className="quiet" aria-pressed={showsWhy} onClick={() => setShowsWhy(!showsWhy)}>
            {words.grid.why} <kbd>W</kbd>
          </button>
          {control}
        </span>
      </div>
      {hits.length === 0 && (
        <div role="group" aria-label={words.grid.ways} className={styles["ways"]}>
          {f?.map((filter) => (
            <button
              key={filter}
              type="button"
              className="button"
              onClick={() => look({ f: f.length > 1 ? f.filter((one) => one !== filter) : undefined })}
            >
              {words.grid.dropFilter(filter.replace(/^tag!?=/, ""))}
            </button>
          ))}
          {q && (
            <button type="button" className="button" onClick={() => compose({ prompt: q })}>
              {words.grid.makeIt}
            </button>
          )}
          <button
            type="button"
            className="button"
            onClick={() => look({ q: undefined, f: undefined, like: undefined, color: undefined, upload: undefined })}
          >
            {words.grid.clear}
          </button>
        </div>
      )}
      <Hits hits={hits} height={height} scroller={scroller} showsWhy={showsWhy} />
      {nearest.length > 0 && (
        <section aria-label={words.grid.nearest} className={styles["nearest"]}>
          <h2>{words.grid.nearest}</h2>
          <Hits
            hits={nearest}
            height={Math.min(height, 140)}
            scroller={scroller}
            showsWhy={showsWhy}
            label={words.grid.nearest}
          />
        </section>
      )}
    </>
  );
}

function Hits(props: {
  hits: readonly Hit[];
  height: number;
  scroller: HTMLElement | null;
  showsWhy: boolean;
  label?: string;
}) {
  const words = useWords();
  const look = useLook();
  const { hits, showsWhy } = props;
  const ratios = useMemo(() => hits.map((hit) => (hit.height > 0 ? hit.width / hit.height : 1)), [hits]);
  const cell = useCallback(
    (place: number) => {
      const hit = hits[place];
      if (!hit) return undefined;
      const cell = cellOf({ ...hit, caption: hit.caption ?? null });
      return showsWhy ? { ...cell, note: whyOf(hit, words) } : cell;
    },
    [hits, showsWhy, words],
  );
  const { selected, select, clear } = useSelection(cell);
  const onKey = usePictureKeys(select);
  if (hits.length === 0) return null;
  return (
    <>
      <Grid
        ratios={ratios}
        cell={cell}
        onOpen={(one) => look({ i: one.id })}
        selected={selected}
        onSelect={select}
        height={props.height}
        scroller={props.scroller}
        onKey={onKey}
        {...(props.label ? { label: props.label } : {})}
      />
      <SelectionBar selected={selected} clear={clear} />
    </>
  );
}

/** Each stage's rank and score, as far as it found the picture. */
function whyOf(hit: Hit, words: ReturnType<typeof useWords>): string {
  const { stages } = hit;
  const line = (name: string, stage: { rank: number; score: number } | null | undefined) =>
    stage ? [`${name} ${stage.rank} · ${stage.score.toFixed(2)}`] : [];
  return [
    hit.score.toFixed(2),
    ...line(words.grid.stages.lexical, stages.lexical),
    ...line(words.grid.stages.text, stages.text),
    ...line(words.grid.stages.look, stages.look),
    ...line(words.grid.stages.appearance, stages.appearance),
    ...line(words.grid.stages.color, stages.color),
  ].join("\n");
}
