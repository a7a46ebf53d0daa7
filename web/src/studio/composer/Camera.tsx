/** Shot, view, lens and light: each preset with an example of what it does. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { useWords } from "../../words";
import { compose, useDraft } from "../draft";
import styles from "./Camera.module.css";
import rows from "./rows.module.css";

const PARTS = ["shot", "view", "lens", "light"] as const;
type Part = (typeof PARTS)[number];

/** The examples' addresses, by the names of their files. */
const EXAMPLES = import.meta.glob<string>("./presets/*.webp", { eager: true, query: "?url", import: "default" });

function example(part: Part, name: string): string | undefined {
  return EXAMPLES[`./presets/${part}-${name}.webp`];
}

export function CameraControl() {
  const words = useWords();
  const { camera } = useDraft();
  const [isOpen, setIsOpen] = useState(false);
  const chosen = PARTS.flatMap((part) => {
    const name = camera[part];
    return name ? [{ part, name, text: words.presets[name] ?? name }] : [];
  });
  return (
    <div className={rows["row"]}>
      <span className="soft" aria-hidden>
        {words.composer.camera}
      </span>
      <button type="button" className={`quiet ${styles["open"]}`} onClick={() => setIsOpen(true)}>
        <span className="hidden">{words.composer.camera}: </span>
        {chosen.map(({ part, name }) => (
          <img key={part} src={example(part, name)} alt="" width={32} height={24} />
        ))}
        <span className={styles["chosen"]}>
          {chosen.length > 0 ? chosen.map(({ text }) => text).join(" · ") : words.composer.any}
        </span>
      </button>
      {isOpen && <CameraDialog onClose={() => setIsOpen(false)} />}
    </div>
  );
}

function CameraDialog({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const presets = useQuery({
    queryKey: ["presets"],
    queryFn: () => data(api.GET("/api/v1/presets")),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Dialog label={words.composer.camera} onClose={onClose}>
      {PARTS.map((part) => (
        <PartChoice key={part} part={part} presets={presets.data?.presets[part] ?? []} />
      ))}
    </Dialog>
  );
}

function PartChoice({ part, presets }: { part: Part; presets: readonly { name: string; words: string }[] }) {
  const words = useWords();
  const { camera } = useDraft();
  const choose = (name: string | undefined) => {
    const { [part]: _, ...others } = camera;
    compose({ camera: name ? { ...others, [part]: name } : others });
  };
  return (
    <fieldset className={styles["part"]}>
      <legend>
        {words.composer.cameraParts[part]}
        {camera[part] && (
          <button type="button" className="quiet" onClick={() => choose(undefined)}>
            {words.composer.anyOf(words.composer.cameraParts[part])}
          </button>
        )}
      </legend>
      <div className={styles["cards"]}>
        {presets.map((preset) => (
          <label key={preset.name} className={styles["card"]} title={preset.words}>
            <input
              type="radio"
              name={`camera-${part}`}
              checked={camera[part] === preset.name}
              onChange={() => choose(preset.name)}
            />
            <img src={example(part, preset.name)} alt="" width={144} height={108} loading="lazy" />
            <span>{words.presets[preset.name] ?? preset.name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
