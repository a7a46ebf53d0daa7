import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";

import { api, data } from "../../api/api";
import { ModelSelect } from "../../shared/ModelSelect";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import styles from "./MadeFilters.module.css";

const DAYS = [1, 7, 30, 365] as const;

/** What of that which was made is looked at: its words, model, project and age, as the API asks for them. */
export function useMadeFilter() {
  const { q, model, project, days } = useSearch({ from: "/" });
  const words = q?.trim().split(/\s+/).filter(Boolean) ?? [];
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  if (days) midnight.setDate(midnight.getDate() - days + 1);
  const query = {
    ...(words.length > 0 ? { word: words } : {}),
    ...(model ? { model } : {}),
    ...(project ? { project } : {}),
    ...(days ? { from: midnight.toISOString() } : {}),
  };
  return { query, isFiltered: Object.keys(query).length > 0 };
}

/** Of what was made, that of one model, one project, the last days. */
export function MadeFilters() {
  const words = useWords();
  const { model, project, days } = useSearch({ from: "/" });
  const look = useLook();
  const projects = useQuery({ queryKey: ["projects"], queryFn: () => data(api.GET("/api/v1/projects")) });
  const names = [...new Set(["studio", ...(projects.data?.projects.map((one) => one.project) ?? [])])];
  return (
    <div className={styles["filters"]}>
      <ModelSelect
        label={words.composer.model}
        value={model ?? ""}
        none={words.grid.anyModel}
        kind="images"
        onChange={(chosen) => look({ model: chosen || undefined })}
      />
      <label>
        <span className="label">{words.grid.project}</span>
        <select
          className="field"
          value={project ?? ""}
          onChange={(event) => look({ project: event.target.value || undefined })}
        >
          <option value="">{words.grid.anyProject}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="label">{words.grid.when}</span>
        <select
          className="field"
          value={days ?? ""}
          onChange={(event) => look({ days: DAYS.find((one) => String(one) === event.target.value) })}
        >
          <option value="">{words.grid.anyTime}</option>
          {DAYS.map((one) => (
            <option key={one} value={one}>
              {words.grid.lastDays(one)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
