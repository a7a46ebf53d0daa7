import { useCallback } from "react";

import { picture } from "../../api/api";
import { compose, pick } from "../draft";
import { useLook } from "../Studio";
import type { Cell } from "./Grid";

/** What keys do with a picture of the library: reference, tone, angle, more like this, details, select. */
export function usePictureKeys(select: (cell: Cell, place: number, how: "toggle" | "range") => void) {
  const look = useLook();
  return useCallback(
    (key: string, cell: Cell): boolean => {
      switch (key) {
        case "r":
          pick({ pick: { image: cell.id }, name: cell.name, thumbnail: picture.thumbnail(cell.id) });
          return true;
        case "t":
          compose({ tone: { id: cell.id, name: cell.name } });
          return true;
        case "a":
          compose({ angle: { id: cell.id, name: cell.name } });
          return true;
        case "s":
          look({ like: cell.id, q: undefined });
          return true;
        case "i":
          look({ i: cell.id });
          return true;
        case "x":
          select(cell, placeOf(cell.id), "toggle");
          return true;
        default:
          return false;
      }
    },
    [look, select],
  );
}

function placeOf(id: string): number {
  return Number(document.querySelector(`[data-id="${CSS.escape(id)}"]`)?.getAttribute("data-place") ?? 0);
}
