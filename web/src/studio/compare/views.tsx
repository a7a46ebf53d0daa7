/** The ways to look at two pictures. All of them share one transform. */
import { useState } from "react";

import { useWords } from "../../words";
import styles from "./Compare.module.css";
import { styleOf, type Transform } from "./useTransform";

export interface Seen {
  src: string;
  alt: string;
  name: string;
  side: string;
}

interface Props {
  first: Seen;
  second: Seen | undefined;
  transform: Transform;
  /** Makes an element one that the wheel zooms and dragging pans. */
  attach: (element: HTMLElement | null) => void;
}

const sideClass = (side: string) => (side === "a" ? "side-a" : side === "b" ? "side-b" : "");

function Name({ seen }: { seen: Seen }) {
  return <figcaption className={`${styles["name"]} ${sideClass(seen.side)}`}>{seen.name}</figcaption>;
}

/** Side by side: what is done to one is done to both. */
export function Beside({ first, second, transform, attach }: Props) {
  return (
    <div className={styles["beside"]}>
      {[first, second].map(
        (seen) =>
          seen && (
            <figure key={seen.src} className={styles["area"]} ref={attach}>
              <img src={seen.src} alt={seen.alt} style={styleOf(transform)} draggable={false} />
              <Name seen={seen} />
            </figure>
          ),
      )}
    </div>
  );
}

/** One over the other, divided where the slider stands. */
export function Slider({ first, second, transform, attach }: Props) {
  const words = useWords();
  const [split, setSplit] = useState(50);
  return (
    <div className={styles["stack"]}>
      <div className={styles["area"]} ref={attach}>
        <figure style={{ clipPath: `inset(0 ${100 - split}% 0 0)` }}>
          <img src={first.src} alt={first.alt} style={styleOf(transform)} draggable={false} />
        </figure>
        {second && (
          <figure style={{ clipPath: `inset(0 0 0 ${split}%)` }}>
            <img src={second.src} alt={second.alt} style={styleOf(transform)} draggable={false} />
          </figure>
        )}
        <i className={styles["divider"]} style={{ left: `${split}%` }} />
        <span className={`${styles["name"]} ${sideClass(first.side)}`}>{first.name}</span>
        {second && (
          <span className={`${styles["name"]} ${styles["right"]} ${sideClass(second.side)}`}>{second.name}</span>
        )}
      </div>
      <input
        type="range"
        aria-label={words.compare.split}
        min={0}
        max={100}
        step={0.5}
        value={split}
        onChange={(event) => setSplit(Number(event.target.value))}
      />
    </div>
  );
}

/** One in the place of the other: press to see the second, let go to see the first again. */
export function Flip({ first, second, transform, attach }: Props) {
  const [isFlipped, setFlipped] = useState(false);
  const seen = isFlipped && second ? second : first;
  return (
    <div className={styles["stack"]}>
      <div className={styles["area"]} ref={attach}>
        {[first, second].map(
          (one) =>
            one && (
              <figure key={one.src} style={{ visibility: one === seen ? "visible" : "hidden" }}>
                <img src={one.src} alt={one.alt} style={styleOf(transform)} draggable={false} />
              </figure>
            ),
        )}
        <span className={`${styles["name"]} ${sideClass(seen.side)}`}>{seen.name}</span>
      </div>
      <button
        type="button"
        className="button"
        aria-pressed={isFlipped}
        onPointerDown={() => setFlipped(true)}
        onPointerUp={() => setFlipped(false)}
        onPointerLeave={() => setFlipped(false)}
        onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && setFlipped(!isFlipped)}
      >
        {second ? `${first.name} ⇄ ${second.name}` : first.name}
      </button>
    </div>
  );
}
