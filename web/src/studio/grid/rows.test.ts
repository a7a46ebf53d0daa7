import { expect, test } from "vitest";

import { GAP, justified, ratioOf } from "./rows";

test("every picture stands in one row, in order, and full rows are as wide as the page", () => {
  const ratios = Array.from({ length: 1000 }, (_, place) => 0.4 + ((place * 37) % 23) / 10);
  const rows = justified(ratios, 1200, 180);
  expect(rows[0]?.from).toBe(0);
  expect(rows.at(-1)?.to).toBe(1000);
  for (const [at, row] of rows.entries()) {
    expect(row.from).toBe(rows[at - 1]?.to ?? 0);
    if (at === rows.length - 1) continue;
    let width = GAP * (row.to - row.from - 1);
    for (let place = row.from; place < row.to; place++) width += (ratios[place] ?? 0) * row.height;
    expect(width).toBeCloseTo(1200, 3);
    expect(row.height).toBeLessThanOrEqual(180);
  }
});

test("a page without width has no rows, and the last row keeps its height", () => {
  expect(justified([1, 1], 0, 180)).toEqual([]);
  expect(justified([1], 1200, 180)).toEqual([{ from: 0, to: 1, height: 180 }]);
});

test("a byte of the layout stands for a ratio", () => {
  expect(ratioOf(128)).toBe(1);
  expect(ratioOf(160)).toBe(2);
  expect(ratioOf(96)).toBe(0.5);
});
