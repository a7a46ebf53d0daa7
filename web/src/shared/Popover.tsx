/** Something that opens below a button, and closes by Escape or by a click elsewhere: the browser's own popover. */
import { type ReactNode, useId } from "react";

import styles from "./Popover.module.css";

export function Popover(props: {
  label: string;
  button: ReactNode;
  className?: string | undefined;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <span className={styles["anchor"]}>
      <button type="button" popoverTarget={id} className={props.className ?? "quiet"}>
        <span className="hidden">{props.label}</span>
        {props.button}
      </button>
      <div id={id} popover="auto" className={styles["popover"]} role="group" aria-label={props.label}>
        {props.children}
      </div>
    </span>
  );
}
