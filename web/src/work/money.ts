/** An amount as somebody writes it, in dollars: "$1,50" too. NaN for what is none. */
export function dollars(written: string): number {
  return Number(written.replace(/[$\s]/g, "").replace(",", "."));
}
