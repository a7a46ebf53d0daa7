import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import { keyOf } from "../../shared/keys";
import { useSettings } from "../../shared/settings";
import { useWords } from "../../words";
import styles from "./Grid.module.css";
import { GAP, justified } from "./rows";

/** A picture of a grid. */
export interface Cell {
  id: string;
  name: string;
  src: string;
  color?: string | undefined;
  /** What is written on it, where something is to be said of each. */
  note?: string | undefined;
}

export interface GridProps {
  ratios: ArrayLike<number>;
  cell: (place: number) => Cell | undefined;
  /** Told which places are drawn, so that what is missing can be asked for. */
  onDrawn?: (from: number, to: number) => void;
  onOpen: (cell: Cell, place: number) => void;
  selected: ReadonlySet<string>;
  onSelect: (cell: Cell, place: number, how: "toggle" | "range") => void;
  height: number;
  scroller: HTMLElement | null;
  label?: string;
  /** Keys on a picture: what a letter does with it. */
  onKey?: (key: string, cell: Cell) => boolean;
}

/** A grid of pictures, one component for every list. Only the rows on the screen, and a few around them, are there. */
export function Grid(props: GridProps) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const rows = useMemo(() => justified(props.ratios, width, props.height), [props.ratios, width, props.height]);
  const { hasKeys } = useSettings();
  const [focused, setFocused] = useState(0);
  const offset = useOffset(box, props.scroller, rows.length);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => props.scroller,
    estimateSize: (row) => (rows[row]?.height ?? 0) + GAP,
    overscan: 3,
    scrollMargin: offset,
  });
  // Rows have exact heights: when the shapes or the width change, all of them are other ones.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the rows that the heights follow from
  useLayoutEffect(() => virtual.measure(), [rows]);

  const drawn = virtual.getVirtualItems();
  const first = rows[drawn[0]?.index ?? 0]?.from ?? 0;
  const last = rows[drawn.at(-1)?.index ?? 0]?.to ?? 0;
  const { onDrawn } = props;
  useEffect(() => onDrawn?.(first, last), [onDrawn, first, last]);

  const focus = (place: number) => {
    const bounded = Math.max(0, Math.min(props.ratios.length - 1, place));
    const row = rows.findIndex((one) => bounded < one.to);
    setFocused(bounded);
    virtual.scrollToIndex(row, { align: "auto" });
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-place="${bounded}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      focus(focused + step);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      focus(beside(rows, props.ratios, focused, event.key === "ArrowUp" ? -1 : 1));
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      focus(event.key === "Home" ? 0 : props.ratios.length - 1);
    }
  };
  const open = (event: MouseEvent, cell: Cell, place: number) => {
    setFocused(place);
    if (event.metaKey || event.ctrlKey) props.onSelect(cell, place, "toggle");
    else if (event.shiftKey) props.onSelect(cell, place, "range");
    else props.onOpen(cell, place);
  };
  return (
    <div
      ref={box}
      role="grid"
      aria-label={props.label ?? words.grid.pictures}
      aria-rowcount={rows.length}
      aria-multiselectable
      className={styles["grid"]}
      style={{ height: virtual.getTotalSize() }}
      onKeyDown={onKeyDown}
    >
      {drawn.map((item) => {
        const row = rows[item.index];
        if (!row) return null;
        return (
          <div
            key={item.key}
            role="row"
            tabIndex={-1}
            aria-rowindex={item.index + 1}
            className={styles["row"]}
            style={{ transform: `translateY(${item.start - offset}px)`, height: row.height }}
          >
            {Array.from({ length: row.to - row.from }, (_, at) => {
              const place = row.from + at;
              const cell = props.cell(place);
              const isSelected = cell !== undefined && props.selected.has(cell.id);
              return (
                <div
                  key={cell?.id ?? place}
                  role="gridcell"
                  aria-label={cell?.name ?? ""}
                  aria-selected={isSelected}
                  tabIndex={place === focused ? 0 : -1}
                  data-place={place}
                  data-id={cell?.id}
                  className={styles["cell"]}
                  style={{ width: (props.ratios[place] ?? 1) * row.height, background: cell?.color }}
                  onClick={(event) => cell && open(event, cell, place)}
                  onFocus={() => setFocused(place)}
                  onKeyDown={(event) => {
                    if (!cell || event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
                    if (event.key === "Enter" || event.key === " ") {
                      event.preventDefault();
                      props.onOpen(cell, place);
                    } else if (hasKeys && props.onKey?.(keyOf(event.nativeEvent), cell)) {
                      event.preventDefault();
                      event.stopPropagation();
                    }
                  }}
                >
                  {cell && <img src={cell.src} alt="" loading="lazy" decoding="async" draggable={false} />}
                  {cell?.note && <p className={styles["note"]}>{cell.note}</p>}
                </div>
              );
            })}
          </div>
        );
      })}
    </div>
  );
}

/** The picture of the next row that lies below or above this one's middle. */
function beside(
  rows: { from: number; to: number; height: number }[],
  ratios: ArrayLike<number>,
  place: number,
  step: number,
): number {
  const at = rows.findIndex((row) => place < row.to);
  const row = rows[at];
  const next = rows[at + step];
  if (!row || !next) return place;
  let middle = ((ratios[place] ?? 1) / 2) * row.height;
  for (let before = row.from; before < place; before++) middle += (ratios[before] ?? 1) * row.height + GAP;
  let right = 0;
  for (let candidate = next.from; candidate < next.to; candidate++) {
    right += (ratios[candidate] ?? 1) * next.height + GAP;
    if (middle < right) return candidate;
  }
  return next.to - 1;
}

function useWidth(box: React.RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

/** How far below the top of what scrolls the grid begins. */
function useOffset(box: React.RefObject<HTMLDivElement | null>, scroller: HTMLElement | null, rows: number): number {
  const [offset, setOffset] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what stands above comes and goes with what is listed
  useLayoutEffect(() => {
    if (!box.current || !scroller) return;
    setOffset(box.current.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop);
  }, [box, scroller, rows]);
  return offset;
}
