/**
 * Single keys. They are what is printed on the key where that is Latin, and its place on the keyboard otherwise: a Korean
 * input method changes what a key gives. None while somebody types, composes, or is in a dialog that has keys of its own.
 */
import { useEffect, useRef } from "react";

/** Whether an input method is still composing: its Enter ends a syllable and sends nothing. */
export function isComposing(event: { isComposing: boolean; keyCode: number }): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** The key's name: `a`, `1`, `/`, `ArrowLeft`. */
export function keyOf(event: KeyboardEvent): string {
  if (/^[\u0020-\u007e]$/.test(event.key)) return event.key.toLowerCase();
  const letter = /^(?:Key|Digit)(.)$/.exec(event.code)?.[1];
  return letter?.toLowerCase() ?? event.key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const isField = target instanceof HTMLInputElement && !["radio", "checkbox", "button", "range"].includes(target.type);
  return (
    isField || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Keys of the page; `within` a dialog those that are its own. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>, within?: HTMLElement | null): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isComposing(event) || isTyping(event.target)) return;
      if (localStorage.getItem("atelier.keys") === "off" && event.key.length === 1) return;
      const isInDialog = document.querySelector("dialog[open]");
      if (within ? isInDialog !== within : isInDialog !== null) return;
      const act = latest.current[keyOf(event)];
      if (act) {
        event.preventDefault();
        act(event);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [within]);
}
