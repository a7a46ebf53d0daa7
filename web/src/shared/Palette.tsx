import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useState } from "react";

import { useWords } from "../words";
import { Dialog } from "./Dialog";
import { isComposing } from "./keys";
import styles from "./Palette.module.css";
import { type Theme, useSettings } from "./settings";

interface Command {
  name: string;
  keys?: string;
  run: () => void;
}

/** Everything that the studio can do, by its name: typed, chosen, done. */
export default function Palette({ onClose, onKeys }: { onClose: () => void; onKeys: () => void }) {
  const words = useWords();
  const commands = useCommands(onKeys);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const asked = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter((one) => asked.every((word) => one.name.toLowerCase().includes(word)));
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => (now + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[at]);
    }
  };
  return (
    <Dialog label={words.palette.title} onClose={onClose}>
      <input
        data-first
        className="field"
        aria-label={words.palette.title}
        placeholder={words.palette.hint}
        role="combobox"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={found[at] ? `command-${at}` : undefined}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="commands" role="listbox" aria-label={words.palette.title} className={styles["list"]}>
        {found.map((command, n) => (
          <button
            key={command.name}
            id={`command-${n}`}
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={n === at}
            className={styles["command"]}
            onMouseMove={() => setAt(n)}
            onClick={() => run(command)}
          >
            <span>{command.name}</span>
            {command.keys && <kbd>{command.keys}</kbd>}
          </button>
        ))}
      </div>
      {found.length === 0 && <p className="soft">{words.palette.nothing}</p>}
    </Dialog>
  );
}

function useCommands(onKeys: () => void): Command[] {
  const words = useWords();
  const navigate = useNavigate();
  const { language, theme, setLanguage, setTheme } = useSettings();
  const themes: readonly Theme[] = ["system", "light", "dark"];
  /** What stands on the studio's page has the focus once that is there. */
  const atStudio = (selector: string) => () =>
    void navigate({ to: "/" }).then(() =>
      requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus()),
    );
  return [
    { name: words.places.studio, keys: "G S", run: () => void navigate({ to: "/" }) },
    { name: words.places.replies, keys: "G R", run: () => void navigate({ to: "/replies" }) },
    { name: words.places.work, keys: "G W", run: () => void navigate({ to: "/work" }) },
    { name: words.places.settings, run: () => void navigate({ to: "/settings" }) },
    { name: words.palette.prompt, keys: "N", run: atStudio("#prompt") },
    { name: words.grid.search, keys: "/", run: atStudio("input[type=search]") },
    { name: words.grid.made, run: () => void navigate({ to: "/", search: { in: "made" } }) },
    { name: words.grid.liked, run: () => void navigate({ to: "/", search: { in: "liked" } }) },
    { name: words.duplicates.title, run: () => void navigate({ to: "/", search: { show: "duplicates" } }) },
    { name: words.trash.title, run: () => void navigate({ to: "/", search: { show: "trash" } }) },
    { name: words.keys.title, keys: "?", run: onKeys },
    ...themes
      .filter((one) => one !== theme)
      .map((one) => ({ name: `${words.theme.label}: ${words.theme[one]}`, run: () => setTheme(one) })),
    language === "en"
      ? { name: "Language: 한국어", run: () => setLanguage("ko") }
      : { name: "언어: English", run: () => setLanguage("en") },
  ];
}
