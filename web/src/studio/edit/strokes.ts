/** A mask as what was drawn, stroke by stroke: it is undone by strokes, and drawn at any size. */
export type Tool = "brush" | "eraser" | "rectangle";

export interface Point {
  /** Shares of the picture's width and height, from 0 to 1. */
  x: number;
  y: number;
}

export interface Stroke {
  tool: Tool;
  points: readonly Point[];
  /** Width of the brush, as a share of the picture's longer side. */
  size: number;
}

export interface Mask {
  strokes: readonly Stroke[];
  /** Strokes that were undone, the last one first. */
  undone: readonly Stroke[];
  isInverted: boolean;
}

export const EMPTY: Mask = { strokes: [], undone: [], isInverted: false };

export type Act =
  | { kind: "add"; stroke: Stroke }
  | { kind: "undo" }
  | { kind: "redo" }
  | { kind: "invert" }
  | { kind: "clear" };

export function drawn(mask: Mask, act: Act): Mask {
  switch (act.kind) {
    case "add":
      return { ...mask, strokes: [...mask.strokes, act.stroke], undone: [] };
    case "undo": {
      const last = mask.strokes.at(-1);
      return last ? { ...mask, strokes: mask.strokes.slice(0, -1), undone: [last, ...mask.undone] } : mask;
    }
    case "redo": {
      const [next, ...undone] = mask.undone;
      return next ? { ...mask, strokes: [...mask.strokes, next], undone } : mask;
    }
    case "invert":
      return { ...mask, isInverted: !mask.isInverted };
    case "clear":
      return EMPTY;
  }
}

/** Whether anything is to be changed. */
export function isBlank(mask: Mask): boolean {
  return !mask.isInverted && !mask.strokes.some((stroke) => stroke.tool !== "eraser");
}

/** Draws a mask in one colour where the picture is to be changed, and leaves the rest of the canvas clear. */
export function paint(canvas: HTMLCanvasElement, mask: Mask, color: string, drawing?: Stroke | null): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, width, height);
  for (const stroke of drawing ? [...mask.strokes, drawing] : mask.strokes) strokeOn(context, stroke, color);
  if (mask.isInverted) {
    context.globalCompositeOperation = "xor";
    context.fillStyle = color;
    context.fillRect(0, 0, width, height);
  }
}

function strokeOn(context: CanvasRenderingContext2D, stroke: Stroke, color: string): void {
  const { width, height } = context.canvas;
  const at = (point: Point): [number, number] => [point.x * width, point.y * height];
  const [first] = stroke.points;
  const last = stroke.points.at(-1);
  if (!first || !last) return;
  context.globalCompositeOperation = stroke.tool === "eraser" ? "destination-out" : "source-over";
  context.fillStyle = color;
  context.strokeStyle = color;
  if (stroke.tool === "rectangle") {
    const [left, top] = at(first);
    const [right, bottom] = at(last);
    context.fillRect(Math.min(left, right), Math.min(top, bottom), Math.abs(right - left), Math.abs(bottom - top));
    return;
  }
  context.lineWidth = stroke.size * Math.max(width, height);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...at(first));
  // A click alone is a dot: a line of no length is drawn by its round ends.
  context.lineTo(...at(first));
  for (const point of stroke.points) context.lineTo(...at(point));
  context.stroke();
}

/** The mask as the server takes it: white where the picture is to be changed, black elsewhere, in PNG. */
export async function maskFile(mask: Mask, width: number, height: number): Promise<Blob> {
  const shapes = Object.assign(document.createElement("canvas"), { width, height });
  paint(shapes, mask, "#ffffff");
  const whole = Object.assign(document.createElement("canvas"), { width, height });
  const context = whole.getContext("2d");
  if (context) {
    context.fillStyle = "#000000";
    context.fillRect(0, 0, width, height);
    context.drawImage(shapes, 0, 0);
  }
  return await new Promise((resolve, reject) =>
    whole.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture of the mask"))), "image/png"),
  );
}
