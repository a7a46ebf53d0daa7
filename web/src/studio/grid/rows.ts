/** Rows of one height each that fill the width, whatever the shapes of their pictures. */
export interface Row {
  /** The place of its first picture. */
  from: number;
  /** After its last. */
  to: number;
  height: number;
}

export const GAP = 4;

/**
 * Lays pictures out in rows, in linear time: a row is full once its pictures, at the height that is wanted, are as wide as
 * the page. The last row keeps that height, and need not be full.
 */
export function justified(ratios: ArrayLike<number>, width: number, wanted: number): Row[] {
  const rows: Row[] = [];
  if (width <= 0) return rows;
  let from = 0;
  let sum = 0;
  for (let place = 0; place < ratios.length; place++) {
    sum += ratios[place] ?? 1;
    const gaps = GAP * (place - from);
    const height = (width - gaps) / sum;
    if (height <= wanted) {
      rows.push({ from, to: place + 1, height: Math.max(24, height) });
      from = place + 1;
      sum = 0;
    }
  }
  if (from < ratios.length) rows.push({ from, to: ratios.length, height: wanted });
  return rows;
}

/** The ratio that a byte of the layout stands for: 128 + 32 × log₂(width ÷ height). */
export function ratioOf(byte: number): number {
  return 2 ** ((byte - 128) / 32);
}
