import { select } from "d3-selection";
import { type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import { useCallback, useEffect, useRef, useState } from "react";

/** How far in, and where: shares of a picture's own box, so that pictures of other sizes stay aligned. */
export interface Transform {
  k: number;
  x: number;
  y: number;
}

const MOST = 32;

/** One transform for everything that is compared: the wheel zooms, dragging pans, whichever picture it is over. */
export function useTransform() {
  const [transform, setTransform] = useState<Transform>({ k: 1, x: 0, y: 0 });
  const areas = useRef(new Set<HTMLElement>());
  const behaviour = useRef<ZoomBehavior<HTMLElement, unknown> | null>(null);
  const attach = useCallback((element: HTMLElement | null) => {
    if (!element || areas.current.has(element)) return;
    behaviour.current ??= zoom<HTMLElement, unknown>()
      .scaleExtent([1, MOST])
      .on("zoom", function (event) {
        const { width, height } = this.getBoundingClientRect();
        const { k, x, y } = event.transform;
        setTransform({ k, x: x / width, y: y / height });
        // The others take part in it, so that a drag goes on from where it is.
        for (const other of areas.current) {
          if (other !== this && other.isConnected) {
            const box = other.getBoundingClientRect();
            (other as HTMLElement & { __zoom?: unknown }).__zoom = zoomIdentity
              .translate((x / width) * box.width, (y / height) * box.height)
              .scale(k);
          }
        }
      });
    areas.current.add(element);
    select(element).call(behaviour.current).on("dblclick.zoom", null);
  }, []);
  const reset = useCallback(() => {
    setTransform({ k: 1, x: 0, y: 0 });
    for (const area of areas.current) (area as HTMLElement & { __zoom?: unknown }).__zoom = zoomIdentity;
  }, []);
  useEffect(() => () => areas.current.clear(), []);
  return { transform, attach, reset };
}

/** The style of a picture under a transform. */
export function styleOf({ k, x, y }: Transform): React.CSSProperties {
  return { transform: `translate(${x * 100}%, ${y * 100}%) scale(${k})`, transformOrigin: "0 0" };
}
