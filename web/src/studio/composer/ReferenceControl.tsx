import { type Plan, picture } from "../../api/api";
import { useWords } from "../../words";
import { type Choice, compose, useDraft } from "../draft";
import styles from "./ReferenceControl.module.css";

/** A reference of tone or of angle: what would be drawn, and whether it is held, drawn anew or off. */
export function ReferenceControl({ kind, plan }: { kind: "tone" | "angle"; plan: Plan | undefined }) {
  const words = useWords();
  const draft = useDraft();
  const choice = draft[kind];
  const label = words.composer[kind];
  const reference = plan?.sides[0]?.references.find((one) => one.role === kind);
  const choose = (chosen: Choice) => compose({ [kind]: chosen });
  const shown =
    typeof choice === "object" ? choice : reference?.image ? { id: reference.image, name: reference.name } : null;
  const isOff = choice === "off" || draft.mode === "off";
  const caption = isOff
    ? words.composer.isOff
    : typeof choice === "object"
      ? words.composer.held
      : reference?.drawn
        ? words.composer.drawn(reference.drawn.best, reference.drawn.pool)
        : plan
          ? words.composer.nothingFits
          : words.composer.drawnLater;
  const isShown = shown !== null && !isOff;
  return (
    <fieldset className={styles["reference"]} aria-label={label}>
      <legend className="label">{label}</legend>
      <div className={styles["picture"]}>
        {isShown ? <img src={picture.thumbnail(shown.id)} alt={shown.name} /> : <p className="small soft">{caption}</p>}
      </div>
      <p className="small">{isShown ? caption : "\u00a0"}</p>
      <p className={styles["acts"]}>
        <button
          type="button"
          className="quiet"
          aria-pressed={typeof choice === "object"}
          disabled={!shown || isOff}
          onClick={() => choose(typeof choice === "object" ? "drawn" : (shown ?? "drawn"))}
        >
          {words.composer.hold}
        </button>
        <button
          type="button"
          className="quiet"
          disabled={isOff}
          onClick={() => compose({ [kind]: "drawn", draw: draft.draw + 1 })}
        >
          {words.composer.swap}
        </button>
        <button
          type="button"
          className="quiet"
          aria-pressed={choice === "off"}
          onClick={() => choose(choice === "off" ? "drawn" : "off")}
        >
          {words.composer.off}
        </button>
      </p>
    </fieldset>
  );
}
