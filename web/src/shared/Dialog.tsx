import { type ReactNode, useEffect, useRef } from "react";

import { useWords } from "../words";
import styles from "./Dialog.module.css";

/** Something on top of the page: the browser's own dialog, which keeps the focus and closes by Escape. */
export function Dialog(props: {
  label: string;
  onClose: () => void;
  isWide?: boolean;
  isDark?: boolean;
  dialog?: (dialog: HTMLDialogElement | null) => void;
  children: ReactNode;
}) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // What is typed goes to the field that the dialog is for, and not to the button that stands first.
    dialog.current?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  const kind = props.isDark ? styles["dark"] : props.isWide ? styles["wide"] : "";
  return (
    <dialog
      ref={(element) => {
        dialog.current = element;
        props.dialog?.(element);
      }}
      aria-label={props.label}
      className={`${styles["dialog"]} ${kind}`}
      onClose={props.onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
      onKeyDown={() => undefined}
    >
      <div className={styles["inside"]}>
        <header className={styles["head"]}>
          <h1>{props.label}</h1>
          <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
            {words.close} <kbd>Esc</kbd>
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
