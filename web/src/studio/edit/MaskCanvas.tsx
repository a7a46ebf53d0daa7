import { type PointerEvent, useEffect, useRef, useState } from "react";

import { useWords } from "../../words";
import styles from "./Edit.module.css";
import { type Mask, type Point, paint, type Stroke, type Tool } from "./strokes";

/** The mask is drawn at this size at most, in pixels of its longer side: its edge is softened by the server anyway. */
const LONGEST = 1536;

/** The picture with the mask over it, drawn by mouse, touch or pen; the wheel zooms about the pointer, Space pans. */
export function MaskCanvas(props: {
  src: string;
  alt: string;
  mask: Mask;
  isShown: boolean;
  tool: Tool;
  size: number;
  onStroke: (stroke: Stroke) => void;
  onSize: (width: number, height: number) => void;
}) {
  const words = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [natural, setNatural] = useState({ width: 1, height: 1 });
  const [drawing, setDrawing] = useState<Stroke | null>(null);
  const view = useView(frame);
  useEffect(() => {
    if (!canvas.current) return;
    const accent = getComputedStyle(canvas.current).getPropertyValue("--accent");
    paint(canvas.current, props.mask, accent, drawing);
  }, [props.mask, drawing]);

  const at = (event: PointerEvent): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const begin = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0 || view.isPanning()) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrawing({ tool: props.tool, size: props.size / view.scale, points: [at(event)] });
  };
  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (drawing) setDrawing({ ...drawing, points: [...drawing.points, at(event)] });
  };
  const end = () => {
    if (drawing) props.onStroke(drawing);
    setDrawing(null);
  };
  const ratio = natural.width / natural.height;
  const scale = Math.min(1, LONGEST / Math.max(natural.width, natural.height));
  const [width, height] = [Math.round(natural.width * scale), Math.round(natural.height * scale)];
  return (
    <div ref={frame} className={styles["frame"]}>
      <div
        className={styles["moved"]}
        style={{ ...view.style, aspectRatio: ratio, width: `min(100cqw, ${100 * ratio}cqh)` }}
      >
        <img
          src={props.src}
          alt={props.alt}
          draggable={false}
          onLoad={(event) => {
            const { naturalWidth, naturalHeight } = event.currentTarget;
            setNatural({ width: naturalWidth, height: naturalHeight });
            const shrunk = Math.min(1, LONGEST / Math.max(naturalWidth, naturalHeight));
            props.onSize(Math.round(naturalWidth * shrunk), Math.round(naturalHeight * shrunk));
          }}
        />
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it is drawn on, and has keys of its own */}
        <canvas
          ref={canvas}
          role="application"
          aria-label={words.edit.mask}
          tabIndex={0}
          width={width}
          height={height}
          style={{ opacity: props.isShown ? 0.55 : 0 }}
          onPointerDown={begin}
          onPointerMove={go}
          onPointerUp={end}
          onPointerCancel={() => setDrawing(null)}
        />
      </div>
    </div>
  );
}

const MOST = 16;

/** Zoom by the wheel, about where the pointer is; pan by dragging while Space is held. */
function useView(frame: React.RefObject<HTMLDivElement | null>) {
  const [view, setView] = useState({ scale: 1, x: 0, y: 0 });
  const isSpace = useRef(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      setView((now) => {
        const scale = Math.min(MOST, Math.max(1, now.scale * Math.exp(-event.deltaY / 400)));
        const factor = scale / now.scale;
        return scale === 1
          ? { scale, x: 0, y: 0 }
          : { scale, x: px - (px - now.x) * factor, y: py - (py - now.y) * factor };
      });
    };
    const onMove = (event: globalThis.PointerEvent) => {
      if (isSpace.current && event.buttons === 1) {
        setView((now) => ({ ...now, x: now.x + event.movementX, y: now.y + event.movementY }));
      }
    };
    const onKey = (event: KeyboardEvent) => {
      if (
        event.code !== "Space" ||
        (event.target instanceof HTMLElement && /^(TEXTAREA|INPUT|BUTTON|SELECT)$/.test(event.target.tagName))
      )
        return;
      event.preventDefault();
      isSpace.current = event.type === "keydown";
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    element.addEventListener("pointermove", onMove);
    addEventListener("keydown", onKey);
    addEventListener("keyup", onKey);
    return () => {
      element.removeEventListener("wheel", onWheel);
      element.removeEventListener("pointermove", onMove);
      removeEventListener("keydown", onKey);
      removeEventListener("keyup", onKey);
    };
  }, [frame]);
  return {
    scale: view.scale,
    style: { transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` },
    isPanning: () => isSpace.current,
  };
}
