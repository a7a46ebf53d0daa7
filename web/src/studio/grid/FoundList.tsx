import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import { api, data, type Hit } from "../../api/api";
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
  const { q, f, like } = useSearch({ from: "/" });
  const found = useQuery({
    queryKey: ["search", q ?? "", f ?? [], like ?? ""],
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/v1/search", {
          params: {
            query: { ...(q ? { q } : {}), ...(f ? { filter: f } : {}), ...(like ? { like } : {}), limit: MOST },
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
        {control}
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
            onClick={() => look({ q: undefined, f: undefined, like: undefined })}
          >
            {words.grid.clear}
          </button>
        </div>
      )}
      <Hits hits={hits} height={height} scroller={scroller} />
      {nearest.length > 0 && (
        <section aria-label={words.grid.nearest} className={styles["nearest"]}>
          <h2>{words.grid.nearest}</h2>
          <Hits hits={nearest} height={Math.min(height, 140)} scroller={scroller} label={words.grid.nearest} />
        </section>
      )}
    </>
  );
}

function Hits(props: { hits: readonly Hit[]; height: number; scroller: HTMLElement | null; label?: string }) {
  const look = useLook();
  const { hits } = props;
  const ratios = useMemo(() => hits.map((hit) => (hit.height > 0 ? hit.width / hit.height : 1)), [hits]);
  const cell = useCallback(
    (place: number) => {
      const hit = hits[place];
      return hit && cellOf({ ...hit, caption: hit.caption ?? null });
    },
    [hits],
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
