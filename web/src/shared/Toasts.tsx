/** One line at the foot of the page, for what can be undone. */
import { createContext, type ReactNode, useContext, useMemo, useRef, useState } from "react";

import { useWords } from "../words";
import styles from "./Toasts.module.css";

interface Toast {
  text: string;
  undo?: (() => void) | undefined;
}

const ToastsContext = createContext<(toast: Toast) => void>(() => undefined);

/** Says something; with `undo`, offers to take it back. */
export const useToast = () => useContext(ToastsContext);

/** Long enough to be read, and to change one's mind. */
const SHOWN_FOR = 8_000;

export function ToastsProvider({ children }: { children: ReactNode }) {
  const words = useWords();
  const [toast, setToast] = useState<Toast | null>(null);
  const ends = useRef(0);
  const show = useMemo(
    () => (next: Toast) => {
      clearTimeout(ends.current);
      ends.current = window.setTimeout(() => setToast(null), SHOWN_FOR);
      setToast(next);
    },
    [],
  );
  return (
    <ToastsContext.Provider value={show}>
      {children}
      <div role="status" className={styles["place"]}>
        {toast && (
          <p className={styles["toast"]}>
            {toast.text}
            {toast.undo && (
              <button
                type="button"
                className="quiet"
                onClick={() => {
                  toast.undo?.();
                  setToast(null);
                }}
              >
                {words.undo}
              </button>
            )}
          </p>
        )}
      </div>
    </ToastsContext.Provider>
  );
}
