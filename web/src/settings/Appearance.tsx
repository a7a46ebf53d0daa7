import { LanguageChoice, ThemeChoice } from "../shared/Account";
import { useSettings } from "../shared/settings";
import { useWords } from "../words";
import styles from "./Settings.module.css";

/** How the studio looks in this browser, and whether single keys do something. */
export function Appearance() {
  const words = useWords();
  const { hasKeys, setKeys } = useSettings();
  return (
    <section aria-labelledby="appearance" className={styles["section"]}>
      <h2 id="appearance">{words.settings.appearance}</h2>
      <div className={styles["choices"]}>
        <ThemeChoice name="theme-set" />
        <LanguageChoice name="language-set" />
      </div>
      <label>
        <input type="checkbox" checked={hasKeys} onChange={(event) => setKeys(event.target.checked)} />{" "}
        {words.keys.single}
      </label>
      <p className="soft small">{words.keys.singleText}</p>
    </section>
  );
}
