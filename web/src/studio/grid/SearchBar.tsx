import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { api, data } from "../../api/api";
import { isComposing } from "../../shared/keys";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import styles from "./SearchBar.module.css";

const LISTS = ["library", "made", "liked"] as const;
const MOST_CHIPS = 8;

/** Words, chips and which list: what narrows down what is below. */
export function SearchBar() {
  const words = useWords();
  const search = useSearch({ from: "/" });
  const look = useLook();
  const list = search.in ?? "library";
  const [typed, setTyped] = useState(search.q ?? "");
  // The address may change otherwise: back, a chip, "clear".
  useEffect(() => setTyped(search.q ?? ""), [search.q]);
  useEffect(() => {
    if (typed === (search.q ?? "")) return undefined;
    const timer = setTimeout(() => look({ q: typed, like: undefined }, true), 150);
    return () => clearTimeout(timer);
  }, [typed, search.q, look]);
  const tags = useQuery({
    queryKey: ["library", "tags"],
    queryFn: () => data(api.GET("/api/v1/library/tags")),
    enabled: list === "library",
  });
  const chosen = search.f ?? [];
  const toggle = (tag: string) => {
    const [is, isNot] = [`tag=${tag}`, `tag!=${tag}`];
    const others = chosen.filter((filter) => filter !== is && filter !== isNot);
    const next = chosen.includes(is) ? [...others, isNot] : chosen.includes(isNot) ? others : [...others, is];
    look({ f: next.length > 0 ? next : undefined });
  };
  return (
    <div className={styles["bar"]}>
      <div className={styles["find"]}>
        <input
          type="search"
          className={`field ${styles["field"]}`}
          aria-label={words.grid.search}
          placeholder={words.grid.searchHint}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            if (isComposing(event.nativeEvent)) return;
            if (event.key === "Escape" && typed === "") event.currentTarget.blur();
          }}
        />
        <div role="tablist" aria-label={words.places.studio} className="segments">
          {LISTS.map((one) => (
            <button
              key={one}
              type="button"
              role="tab"
              aria-selected={list === one}
              onClick={() => look({ in: one === "library" ? undefined : one, i: undefined, m: undefined })}
            >
              {words.grid[one]}
            </button>
          ))}
        </div>
      </div>
      {list === "library" && (tags.data?.names.length ?? 0) > 0 && (
        <ul className={styles["chips"]}>
          {[...(tags.data?.names ?? [])]
            .sort((a, b) => b.images - a.images)
            .slice(0, MOST_CHIPS)
            .map((tag) => {
              const isOn = chosen.includes(`tag=${tag.name}`);
              const isNot = chosen.includes(`tag!=${tag.name}`);
              return (
                <li key={tag.name}>
                  <button
                    type="button"
                    className={styles["chip"]}
                    aria-pressed={isOn || isNot}
                    onClick={() => toggle(tag.name)}
                  >
                    {isNot ? words.grid.not(tag.name) : tag.name}{" "}
                    <span className="soft">{words.count(tag.images)}</span>
                  </button>
                </li>
              );
            })}
        </ul>
      )}
    </div>
  );
}
