import type { Plan } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { useWords } from "../../words";
import styles from "./WholePrompt.module.css";

/** What is sent, whole, with its pictures numbered as they go out. */
export function WholePrompt(props: { plan: Plan; onClose: () => void; thumbnail: (id: string) => string }) {
  const words = useWords();
  const { plan } = props;
  return (
    <Dialog label={words.composer.wholePrompt} onClose={props.onClose}>
      <div className={styles["sides"]}>
        {plan.sides.map((side) => (
          <section key={side.name} aria-label={words.composer.side(side.name.toUpperCase())}>
            <h2>
              <span className={side.name === "a" ? "side-a" : "side-b"}>{side.name.toUpperCase()}</span> {side.model}
            </h2>
            <ol className={styles["pictures"]}>
              {side.references
                .filter((reference) => reference.sent)
                .map((reference, place) => (
                  <li key={`${reference.role}-${reference.name}`}>
                    {reference.image && <img src={props.thumbnail(reference.image)} alt="" />}
                    <span className="small">
                      {words.composer.imageNumber(place + 1)} · {reference.role} · {reference.name}
                    </span>
                  </li>
                ))}
            </ol>
            <pre className={styles["text"]}>{side.prompt}</pre>
            <button type="button" className="button" onClick={() => void navigator.clipboard.writeText(side.prompt)}>
              {words.composer.copy}
            </button>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
