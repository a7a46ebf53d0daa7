import { useState } from "react";

import { remember, remembered } from "../../shared/settings";
import { useWords } from "../../words";
import styles from "./lists.module.css";

const [LEAST, USUAL, MOST] = [90, 178, 340];

/** How high rows are, and the slider that says so. */
export function useDensity() {
  const words = useWords();
  const [height, setHeight] = useState(() => Number(remembered("row-height")) || USUAL);
  const control = (
    <input
      type="range"
      aria-label={words.grid.density}
      className={styles["density"]}
      min={LEAST}
      max={MOST}
      value={height}
      onChange={(event) => {
        setHeight(Number(event.target.value));
        remember("row-height", event.target.value);
      }}
    />
  );
  return { height, control };
}
