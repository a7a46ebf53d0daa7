/** What somebody has set for this browser: language, theme, single keys. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

import { en, type Language, type Words, WordsContext, wordsOf } from "../words";

export type Theme = "system" | "light" | "dark";

interface Settings {
  language: Language;
  theme: Theme;
  /** Whether single keys do something; without, nothing happens by a slip of the finger. */
  hasKeys: boolean;
  setLanguage: (language: Language) => void;
  setTheme: (theme: Theme) => void;
  setKeys: (hasKeys: boolean) => void;
}

const SettingsContext = createContext<Settings>({
  language: "en",
  theme: "system",
  hasKeys: true,
  setLanguage: () => undefined,
  setTheme: () => undefined,
  setKeys: () => undefined,
});

export const useSettings = () => useContext(SettingsContext);

export function SettingsProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(document.documentElement.lang === "ko" ? "ko" : "en");
  const [theme, setTheme] = useState<Theme>(
    (document.documentElement.dataset["theme"] as Theme | undefined) ?? "system",
  );
  const [hasKeys, setKeys] = useState(() => remembered("keys") !== "off");
  const [words, setWords] = useState<Words | null>(language === "en" ? en : null);

  useEffect(() => {
    document.documentElement.lang = language;
    wordsOf(language).then(setWords);
  }, [language]);

  const settings: Settings = {
    language,
    theme,
    hasKeys,
    setKeys: (chosen) => {
      remember("keys", chosen ? "on" : "off");
      setKeys(chosen);
    },
    setLanguage: (chosen) => {
      remember("language", chosen);
      setLanguage(chosen);
    },
    setTheme: (chosen) => {
      remember("theme", chosen);
      if (chosen === "system") delete document.documentElement.dataset["theme"];
      else document.documentElement.dataset["theme"] = chosen;
      setTheme(chosen);
    },
  };
  if (words === null) return null;
  return (
    <SettingsContext.Provider value={settings}>
      <WordsContext.Provider value={words}>{children}</WordsContext.Provider>
    </SettingsContext.Provider>
  );
}

/** Keeps something for the next time, where the browser allows it. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`atelier.${name}`, value);
  } catch {
    // A browser that keeps nothing shows the defaults the next time.
  }
}

/** What was kept, if anything was. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`atelier.${name}`);
  } catch {
    return null;
  }
}
