import { Link } from "@tanstack/react-router";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { useWords } from "../words";
import styles from "./Account.module.css";
import { Popover } from "./Popover";
import { type Theme, useSettings } from "./settings";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Who is here, and what they have set for this browser. */
export function Account({ user }: { user: Schemas["UserView"] }) {
  const words = useWords();
  const initials = user.shown
    .split(/\s+/)
    .map((part) => part[0] ?? "")
    .join("")
    .slice(0, 2)
    .toUpperCase();
  const leave = async () => {
    await data(api.DELETE("/api/v1/sessions/current"));
    queryClient.setQueryData(["me"], null);
  };
  return (
    <Popover label={words.account} button={initials} className={styles["initials"]}>
      <div className={styles["menu"]}>
        <p>
          <b>{user.shown}</b> <span className="soft">{user.role}</span>
        </p>
        <ThemeChoice name="theme" />
        <LanguageChoice name="language" />
        <p className={styles["acts"]}>
          <Link to="/settings" className="button">
            {words.places.settings}
          </Link>
          <button type="button" className="button" onClick={() => void leave()}>
            {words.signOut}
          </button>
        </p>
      </div>
    </Popover>
  );
}

/** Light, dark, or as the system has it. */
export function ThemeChoice({ name }: { name: string }) {
  const words = useWords();
  const { theme, setTheme } = useSettings();
  return (
    <fieldset>
      <legend className="label">{words.theme.label}</legend>
      <div className="segments">
        {THEMES.map((one) => (
          <label key={one}>
            <input type="radio" name={name} checked={theme === one} onChange={() => setTheme(one)} />
            {words.theme[one]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** The language of the studio. */
export function LanguageChoice({ name }: { name: string }) {
  const words = useWords();
  const { language, setLanguage } = useSettings();
  return (
    <fieldset>
      <legend className="label">{words.languageLabel}</legend>
      <div className="segments">
        {(["en", "ko"] as const).map((one) => (
          <label key={one} lang={one}>
            <input type="radio" name={name} checked={language === one} onChange={() => setLanguage(one)} />
            {one === "en" ? "English" : "한국어"}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
