import { useWords } from "../words";
import { Dialog } from "./Dialog";
import styles from "./KeysHelp.module.css";
import { useSettings } from "./settings";

/** Every key, by where it does something; and whether single keys do anything at all. */
export default function KeysHelp({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const { hasKeys, setKeys } = useSettings();
  return (
    <Dialog label={words.keys.title} onClose={onClose}>
      <div className={styles["groups"]}>
        {words.keys.groups.map((group) => (
          <section key={group.name} aria-label={group.name}>
            <h2>{group.name}</h2>
            <dl>
              {group.keys.map(([keys, act]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{act}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label>
        <input type="checkbox" checked={hasKeys} onChange={(event) => setKeys(event.target.checked)} />{" "}
        {words.keys.single}
      </label>
    </Dialog>
  );
}
