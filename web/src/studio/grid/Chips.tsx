import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { api, data } from "../../api/api";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import styles from "./SearchBar.module.css";

const FEW = 8;

interface Chip {
  key: "collection" | "tag";
  name: string;
  images: number;
}

/** Collections and tags with how many images each has: a click asks for it, another for what is without it. */
export function Chips() {
  const words = useWords();
  const look = useLook();
  const { f: chosen = [] } = useSearch({ from: "/" });
  const [showsAll, setShowsAll] = useState(false);
  const tags = useQuery({ queryKey: ["library", "tags"], queryFn: () => data(api.GET("/api/v1/library/tags")) });
  const collections = useQuery({
    queryKey: ["library", "collections"],
    queryFn: () => data(api.GET("/api/v1/library/collections")),
  });
  const most = (names: readonly { name: string; images: number }[] | undefined, key: Chip["key"]): Chip[] =>
    [...(names ?? [])].sort((a, b) => b.images - a.images).map((one) => ({ key, ...one }));
  const all = [...most(collections.data?.names, "collection"), ...most(tags.data?.names, "tag")];
  if (all.length === 0) return null;
  const isChosen = (chip: Chip) => chosen.some((one) => one.replace("!=", "=") === `${chip.key}=${chip.name}`);
  const shown = showsAll ? all : all.filter((chip, place) => place < FEW || isChosen(chip));
  const toggle = ({ key, name }: Chip) => {
    const [is, isNot] = [`${key}=${name}`, `${key}!=${name}`];
    const others = chosen.filter((filter) => filter !== is && filter !== isNot);
    const next = chosen.includes(is) ? [...others, isNot] : chosen.includes(isNot) ? others : [...others, is];
    look({ f: next.length > 0 ? next : undefined });
  };
  return (
    <ul className={styles["chips"]}>
      {shown.map((chip) => {
        const isNot = chosen.includes(`${chip.key}!=${chip.name}`);
        return (
          <li key={`${chip.key}=${chip.name}`}>
            <button
              type="button"
              className={styles["chip"]}
              data-kind={chip.key}
              aria-pressed={isChosen(chip)}
              onClick={() => toggle(chip)}
            >
              {isNot ? words.grid.not(chip.name) : chip.name} <span className="soft">{words.count(chip.images)}</span>
            </button>
          </li>
        );
      })}
      {all.length > FEW && (
        <li>
          <button type="button" className="quiet" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? words.grid.fewer : words.grid.moreChips(all.length - FEW)}
          </button>
        </li>
      )}
    </ul>
  );
}
