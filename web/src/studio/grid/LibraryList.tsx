import { useQuery } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";

import { api, data, type LibraryImage, picture } from "../../api/api";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import { usePictureKeys } from "./actions";
import { type Cell, Grid } from "./Grid";
import styles from "./lists.module.css";
import { ratioOf } from "./rows";
import { AddSamples, SamplesLine } from "./Samples";
import { SelectionBar } from "./SelectionBar";
import { useDensity } from "./useDensity";
import { useSelection } from "./useSelection";

/** So many images are asked for at a time. */
const SLICE = 200;

/** The whole library: shapes at once, a byte each, and the images themselves as they come into sight. */
export function LibraryList({ scroller }: { scroller: HTMLElement | null }) {
  const words = useWords();
  const look = useLook();
  const layout = useLayout();
  const snapshot = layout.data?.snapshot;
  const { image, onDrawn } = useSlices(snapshot);
  const cell = useCallback(
    (place: number): Cell | undefined => {
      const one = image(place);
      return one && cellOf(one);
    },
    [image],
  );
  const { selected, select, clear } = useSelection(cell);
  const { height, control } = useDensity();
  const onKey = usePictureKeys(select);
  const count = layout.data?.ratios.length ?? 0;
  if (layout.data && count === 0) {
    return (
      <div className={styles["empty"]}>
        <p>
          {words.grid.empty} {words.grid.dropHere}
        </p>
        <AddSamples />
      </div>
    );
  }
  return (
    <>
      <div className={styles["head"]}>
        <p role="status" className="soft small">
          {layout.data ? words.grid.all(words.count(count)) : "\u00a0"}
        </p>
        <span className={styles["acts"]}>
          <button type="button" className="quiet" onClick={() => look({ show: "duplicates" })}>
            {words.duplicates.title}
          </button>
          <button type="button" className="quiet" onClick={() => look({ show: "trash" })}>
            {words.trash.title}
          </button>
          {control}
        </span>
      </div>
      <SamplesLine />
      {layout.data && (
        <Grid
          ratios={layout.data.ratios}
          cell={cell}
          onDrawn={onDrawn}
          onOpen={(one) => look({ i: one.id })}
          selected={selected}
          onSelect={select}
          height={height}
          scroller={scroller}
          onKey={onKey}
        />
      )}
      <SelectionBar selected={selected} clear={clear} />
    </>
  );
}

export function cellOf(image: Pick<LibraryImage, "id" | "filename" | "palette"> & { caption?: string | null }): Cell {
  return {
    id: image.id,
    name: image.caption || image.filename,
    src: picture.thumbnail(image.id),
    color: image.palette[0],
  };
}

/** The shapes of all pictures of the library, and by that how many there are. */
export function useLayout() {
  return useQuery({ queryKey: ["library", "layout"], queryFn: readLayout });
}

async function readLayout(): Promise<{ snapshot: string; ratios: Float32Array }> {
  const { data: bytes, response } = await api.GET("/api/v1/library/layout", { parseAs: "arrayBuffer" });
  const ratios = Float32Array.from(new Uint8Array(bytes as ArrayBuffer), ratioOf);
  return { snapshot: response.headers.get("atelier-snapshot") ?? "", ratios };
}

/** The images of a snapshot, as far as they were in sight. */
function useSlices(snapshot: string | undefined) {
  const known = useRef(new Map<number, LibraryImage>());
  const asked = useRef(new Set<number>());
  const of = useRef(snapshot);
  const [version, setVersion] = useState(0);
  if (of.current !== snapshot) {
    // What stood there still shows until the new snapshot's images come: nothing blinks when one is added.
    of.current = snapshot;
    asked.current = new Set();
  }
  const onDrawn = useCallback(
    (from: number, to: number) => {
      if (!snapshot) return;
      for (let slice = Math.floor(from / SLICE); slice * SLICE < to; slice++) {
        if (asked.current.has(slice)) continue;
        asked.current.add(slice);
        data(api.GET("/api/v1/library/slice", { params: { query: { snapshot, from: slice * SLICE, count: SLICE } } }))
          .then((answer) => {
            for (const one of answer.images) known.current.set(one.place, one);
            setVersion((now) => now + 1);
          })
          .catch(() => asked.current.delete(slice));
      }
    },
    [snapshot],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the images that are known change with the version
  const image = useCallback((place: number) => known.current.get(place), [version]);
  return { image, onDrawn };
}
