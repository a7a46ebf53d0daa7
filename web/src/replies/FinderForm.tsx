/** finder.yml as a form. What is written here stands in the file beside it, and the other way round; comments stay. */
import { useQuery } from "@tanstack/react-query";
import { useId, useMemo } from "react";
import { parseDocument } from "yaml";

import { api, data } from "../api/api";
import { useWords } from "../words";
import styles from "./FinderForm.module.css";

type Path = readonly (string | number)[];
type Set = (path: Path, value: unknown) => void;

const WEIGHTS = ["velocity", "relevance", "openness", "author_quality"] as const;
/** What stands for thresholds and weights that the file leaves out: those of the program. */
const USUAL = {
  green_min: 0.72,
  yellow_min: 0.55,
  velocity: 0.35,
  relevance: 0.35,
  openness: 0.2,
  author_quality: 0.1,
} as const;
const LINE_WIDTH = 110;

export function FinderForm(props: { project: string; text: string; onChange: (text: string) => void }) {
  const words = useWords();
  const document = useMemo(() => parseDocument(props.text), [props.text]);
  if (document.errors.length > 0) return <p className="soft">{words.finder.unreadable}</p>;
  const content: unknown = document.toJS();
  const set: Set = (path, value) => {
    const next = document.clone();
    if (value === undefined) next.deleteIn(path);
    else next.setIn(path, value);
    props.onChange(next.toString({ lineWidth: LINE_WIDTH }));
  };
  const topics = list(at(content, ["taxonomy"]));
  const lines = (label: string, path: Path) => <Lines label={label} value={at(content, path)} path={path} set={set} />;
  return (
    <div className={styles["form"]}>
      <fieldset>
        <legend>{words.finder.topics}</legend>
        {topics.map((topic, n) => {
          const path = ["taxonomy", n];
          const label = text(at(topic, ["label"]));
          return (
            // Topics have no name but the one that is being written.
            // biome-ignore lint/suspicious/noArrayIndexKey: their order is their name
            <div key={n} className={styles["topic"]} role="group" aria-label={label}>
              <Text label={words.finder.label} value={at(topic, ["label"])} path={[...path, "label"]} set={set} />
              <Text
                label={words.finder.description}
                value={at(topic, ["description"])}
                path={[...path, "description"]}
                set={set}
                isLong
              />
              {lines(words.finder.exemplars, [...path, "exemplars"])}
              <button type="button" className="quiet" onClick={() => set(path, undefined)}>
                {words.composer.remove(label)}
              </button>
            </div>
          );
        })}
        <button
          type="button"
          className="button"
          onClick={() => set(["taxonomy", topics.length], { label: "", description: "", exemplars: [] })}
        >
          {words.finder.addTopic}
        </button>
      </fieldset>
      <fieldset>
        <legend>{words.finder.voice}</legend>
        <Text
          label={words.finder.persona}
          value={at(content, ["voice", "persona"])}
          path={["voice", "persona"]}
          set={set}
          isLong
        />
        {lines(words.finder.constraints, ["voice", "constraints"])}
        {lines(words.finder.good, ["voice", "examples", "good"])}
        {lines(words.finder.bad, ["voice", "examples", "bad"])}
      </fieldset>
      <fieldset>
        <legend>{words.finder.sources}</legend>
        {lines(words.finder.preferred, ["sources", "whitelist_handles"])}
        {lines(words.finder.leftOut, ["sources", "blacklist_handles"])}
        {lines(words.finder.keywords, ["sources", "blacklist_keywords"])}
        {lines(words.finder.languages, ["sources", "languages"])}
      </fieldset>
      <Thresholds project={props.project} content={content} set={set} />
      <fieldset>
        <legend>{words.finder.weights}</legend>
        {WEIGHTS.map((weight) => (
          <Share
            key={weight}
            label={words.finder.weightNames[weight]}
            value={number(at(content, ["weights", weight]), USUAL[weight])}
            onChange={(value) => set(["weights", weight], value)}
          />
        ))}
      </fieldset>
    </div>
  );
}

/** Where the lines are drawn, and what that would let through of what was scored. */
function Thresholds(props: { project: string; content: unknown; set: Set }) {
  const words = useWords();
  const scores = useQuery({
    queryKey: ["scores", props.project],
    queryFn: () => data(api.GET("/api/v1/projects/{name}/scores", { params: { path: { name: props.project } } })),
  });
  const green = number(at(props.content, ["thresholds", "green_min"]), USUAL.green_min);
  const yellow = number(at(props.content, ["thresholds", "yellow_min"]), USUAL.yellow_min);
  const hundredths = scores.data?.hundredths ?? [];
  const label = (place: number) =>
    place >= green * 100 - 1e-6 ? "green" : place >= yellow * 100 - 1e-6 ? "yellow" : "red";
  const count = (wanted: string) =>
    hundredths.reduce((sum, posts, place) => (label(place) === wanted ? sum + posts : sum), 0);
  const most = Math.max(1, ...hundredths);
  const all = hundredths.reduce((sum, posts) => sum + posts, 0);
  return (
    <fieldset>
      <legend>{words.finder.thresholds}</legend>
      <Share
        label={words.finder.green}
        value={green}
        onChange={(value) => {
          props.set(["thresholds", "green_min"], value);
        }}
      />
      <Share
        label={words.finder.yellow}
        value={yellow}
        onChange={(value) => {
          props.set(["thresholds", "yellow_min"], value);
        }}
      />
      {all > 0 && (
        <svg viewBox="0 0 101 32" preserveAspectRatio="none" className={styles["scores"]} aria-hidden="true">
          {hundredths.map((posts, place) => {
            const height = (posts / most) * 32;
            // A hundredth is a place, and nothing else.
            const key = `${place}`;
            return <rect key={key} x={place} y={32 - height} width={0.9} height={height} data-label={label(place)} />;
          })}
        </svg>
      )}
      <p role="status" className="small">
        {scores.data && (all > 0 ? words.finder.lets(count("green"), count("yellow"), all) : words.finder.noScores)}
      </p>
    </fieldset>
  );
}

function Text(props: { label: string; value: unknown; path: Path; set: Set; isLong?: boolean }) {
  const id = useId();
  const common = {
    id,
    className: "field",
    value: text(props.value),
    onChange: (event: { target: { value: string } }) => props.set(props.path, event.target.value),
  };
  return (
    <p className={styles["one"]}>
      <label htmlFor={id} className="label">
        {props.label}
      </label>
      {props.isLong ? <textarea rows={2} {...common} /> : <input {...common} />}
    </p>
  );
}

/** A list, a line each. Empty lines are there only while they are being written. */
function Lines(props: { label: string; value: unknown; path: Path; set: Set }) {
  const id = useId();
  const lines = list(props.value).map(text);
  return (
    <p className={styles["one"]}>
      <label htmlFor={id} className="label">
        {props.label}
      </label>
      <textarea
        id={id}
        className="field"
        rows={Math.min(8, Math.max(2, lines.length + 1))}
        value={lines.join("\n")}
        onChange={(event) => props.set(props.path, event.target.value === "" ? [] : event.target.value.split("\n"))}
        onBlur={() => {
          const written = lines.filter((line) => line.trim() !== "");
          if (written.length < lines.length) props.set(props.path, written);
        }}
      />
    </p>
  );
}

function Share(props: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <label className={styles["share"]}>
      <span>{props.label}</span>
      <input
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={props.value}
        onChange={(event) => props.onChange(Number(event.target.value))}
      />
      <output>{props.value.toFixed(2)}</output>
    </label>
  );
}

/** What stands at a place of what was read, whatever that is. */
function at(content: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === "object" && here !== null ? (here as Record<string | number, unknown>)[key] : undefined,
    content,
  );
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function number(value: unknown, usual: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : usual;
}
