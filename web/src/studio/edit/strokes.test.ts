import { expect, test } from "vitest";

import { drawn, EMPTY, isBlank, type Stroke } from "./strokes";

const stroke = (tool: Stroke["tool"]): Stroke => ({ tool, points: [{ x: 0.5, y: 0.5 }], size: 0.1 });

test("strokes are undone and done again one by one, until another one is drawn", () => {
  let mask = EMPTY;
  for (const tool of ["brush", "rectangle", "eraser"] as const)
    mask = drawn(mask, { kind: "add", stroke: stroke(tool) });
  mask = drawn(drawn(mask, { kind: "undo" }), { kind: "undo" });
  expect(mask.strokes.map((one) => one.tool)).toEqual(["brush"]);
  mask = drawn(mask, { kind: "redo" });
  expect(mask.strokes.map((one) => one.tool)).toEqual(["brush", "rectangle"]);
  mask = drawn(mask, { kind: "add", stroke: stroke("brush") });
  expect(drawn(mask, { kind: "redo" })).toBe(mask);
  expect(drawn(EMPTY, { kind: "undo" })).toBe(EMPTY);
});

test("a mask is blank until something is to be changed", () => {
  expect(isBlank(EMPTY)).toBe(true);
  expect(isBlank(drawn(EMPTY, { kind: "add", stroke: stroke("eraser") }))).toBe(true);
  expect(isBlank(drawn(EMPTY, { kind: "add", stroke: stroke("brush") }))).toBe(false);
  expect(isBlank(drawn(EMPTY, { kind: "invert" }))).toBe(false);
});
