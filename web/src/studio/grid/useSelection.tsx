import { useCallback, useState } from "react";

import type { Cell } from "./Grid";

/** What is selected of a list: by Ctrl or Cmd, by X, and by Shift from the one before to this one. */
export function useSelection(cell: (place: number) => Cell | undefined) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState<number | null>(null);
  const select = useCallback(
    (one: Cell, place: number, how: "toggle" | "range") => {
      setSelected((now) => {
        const next = new Set(now);
        if (how === "range" && last !== null) {
          for (let at = Math.min(last, place); at <= Math.max(last, place); at++) {
            const other = cell(at);
            if (other) next.add(other.id);
          }
        } else if (!next.delete(one.id)) next.add(one.id);
        return next;
      });
      setLast(place);
    },
    [cell, last],
  );
  const clear = useCallback(() => setSelected(new Set()), []);
  return { selected, select, clear };
}
