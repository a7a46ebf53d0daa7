/** The composer's rows: how references go along, ratio, how many. */
import { useWords } from "../../words";
import { compose, type Draft, RATIOS, useDraft } from "../draft";
import styles from "./rows.module.css";

const COUNTS = [1, 2, 4, 8];
const MODES = [
  ["auto", "full"],
  ["palette-only", "colors"],
  ["off", "off"],
] as const;

function Choices<T extends string | number>(props: {
  label: string;
  name: string;
  options: readonly (readonly [T, string])[];
  chosen: T;
  onChoose: (value: T) => void;
}) {
  return (
    <div className={styles["row"]}>
      <span className="soft" aria-hidden>
        {props.label}
      </span>
      <div role="radiogroup" aria-label={props.label} className="segments">
        {props.options.map(([value, text]) => (
          <label key={value}>
            <input
              type="radio"
              name={props.name}
              checked={props.chosen === value}
              onChange={() => props.onChoose(value)}
            />
            {text}
          </label>
        ))}
      </div>
    </div>
  );
}

export function RatioControl() {
  const words = useWords();
  const { size } = useDraft();
  return (
    <Choices
      label={words.composer.ratio}
      name="ratio"
      options={RATIOS.map((ratio) => [ratio, ratio] as const)}
      chosen={size}
      onChoose={(chosen) => compose({ size: chosen })}
    />
  );
}

export function CountControl() {
  const words = useWords();
  const { count } = useDraft();
  return (
    <Choices
      label={words.composer.count}
      name="count"
      options={COUNTS.map((one) => [one, String(one)] as const)}
      chosen={count}
      onChoose={(chosen) => compose({ count: chosen })}
    />
  );
}

export function ModeControl() {
  const words = useWords();
  const { mode } = useDraft();
  return (
    <Choices<Draft["mode"]>
      label={words.composer.send}
      name="mode"
      options={MODES.map(([value, key]) => [value, words.composer.sends[key]] as const)}
      chosen={mode}
      onChoose={(chosen) => compose({ mode: chosen })}
    />
  );
}
