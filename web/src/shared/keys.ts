/**
 * Single keys. They are what is printed on the key where that is Latin, and its place on the keyboard otherwise: a Korean
 * input method changes what a key gives. None while somebody types, composes, or is in a dialog that has keys of its own.
 */
import { useEffect, useRef } from "react";

import { remembered } from "./settings";

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

/** Whether an arrow moves what has the focus: a slider, or a choice of several. */
function isMoving(event: KeyboardEvent): boolean {
  const isArrow = event.key.startsWith("Arrow");
  return isArrow && event.target instanceof HTMLInputElement && ["radio", "range"].includes(event.target.type);
}

/** Whether Enter presses what has the focus. Rows and choices that say `data-enter="page"` leave it to the page. */
function isPressing(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" || !(event.target instanceof Element)) return false;
  const pressed = event.target.closest("button, a, summary");
  return pressed !== null && pressed.getAttribute("data-enter") !== "page";
}

/**
 * Keys of the page; `within` a dialog those that are its own. An act that answers false leaves the key to others; acts that
 * go `first` are asked before those of the page.
 */
export function useKeys(
  keys: Record<string, (event: KeyboardEvent) => unknown>,
  within?: HTMLElement | null,
  first = false,
): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isMoving(event)) return;
      if (isComposing(event) || isTyping(event.target) || isPressing(event)) return;
      if (remembered("keys") === "off" && event.key.length === 1) return;
      const isInDialog = document.querySelector("dialog[open]");
      if (within ? isInDialog !== within : isInDialog !== null) return;
      if (!within && document.querySelector(":popover-open")) return;
      const act = latest.current[keyOf(event)];
      if (act && act(event) !== false) event.preventDefault();
    };
    addEventListener("keydown", onKey, first);
    return () => removeEventListener("keydown", onKey, first);
  }, [within, first]);
}
