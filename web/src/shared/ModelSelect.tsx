import { useQuery } from "@tanstack/react-query";

import { api, data } from "../api/api";
import { useWords } from "../words";

/** The models that there are, as they are asked for everywhere. */
export function useModels() {
  return useQuery({ queryKey: ["models"], queryFn: () => data(api.GET("/api/v1/models")) });
}

/** A model as people call it: without the provider that they know anyway. */
export function shownModel(model: string): string {
  return model.startsWith("sandbox:") ? `Sandbox · ${model.slice(8)}` : model.replace(/^[a-z]+:/, "");
}

/** A choice of one model; `usual` is what is taken if nothing is chosen. */
export function ModelSelect(props: {
  label: string;
  value: string;
  usual?: string | undefined;
  /** What it says where nothing need be chosen. */
  none?: string;
  kind: "text" | "images";
  onChange: (model: string) => void;
}) {
  const words = useWords();
  const models = useModels();
  const fits = (one: { model: string; makes_images: boolean }) =>
    props.kind === "images" ? one.makes_images : !one.makes_images && !one.model.includes("embedding");
  // Those that can be asked stand first.
  const fitting = (models.data?.models.filter(fits) ?? []).sort((a, b) => Number(b.ready) - Number(a.ready));
  return (
    <label>
      <span className="label">{props.label}</span>
      <select className="field" value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.usual !== undefined && (
          <option value="">
            {shownModel(props.usual)} · {words.composer.usual}
          </option>
        )}
        {props.none !== undefined && <option value="">{props.none}</option>}
        {props.usual === undefined && props.none === undefined && props.value === "" && <option value="">…</option>}
        {fitting.map((one) => (
          <option key={one.model} value={one.model}>
            {shownModel(one.model)}
            {one.sandbox ? ` · ${words.composer.free}` : one.ready ? "" : ` · ${words.composer.needsKey}`}
          </option>
        ))}
      </select>
    </label>
  );
}
