import { useMutation } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { api, data, fileBody } from "../../api/api";
import { isComposing } from "../../shared/keys";
import { Popover } from "../../shared/Popover";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { MadeFilters } from "../generation/MadeFilters";
import { useLook } from "../Studio";
import { Chips } from "./Chips";
import styles from "./SearchBar.module.css";
import { SearchedBy } from "./SearchedBy";

const LISTS = ["library", "made", "liked"] as const;
/** Colours that are asked for by a click; any other by the browser's own field. */
const COLORS = ["#b3261e", "#d9772b", "#e3c341", "#4f8a3c", "#2f8f8b", "#2f6db3", "#6b4fa3", "#c4688f", "#7a5a3c"];
const GREYS = ["#141413", "#8a8780", "#f4f2ee"];

/** Words, a picture, a colour, chips and which list: what narrows down what is below. */
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
  const upload = useMutation({
    mutationFn: (file: File) =>
      data(api.POST("/api/v1/uploads", { params: { query: { name: file.name } }, ...fileBody(file) })),
    onSuccess: (uploaded) => look({ upload: uploaded.id, like: undefined, in: undefined }),
  });
  const takePicture = (files: FileList): boolean => {
    const file = [...files].find((one) => one.type.startsWith("image/"));
    if (file) upload.mutate(file);
    return file !== undefined;
  };
  return (
    <div className={styles["bar"]}>
      <div className={styles["find"]}>
        <div className={styles["box"]}>
          <input
            type="search"
            className={`field ${styles["field"]}`}
            aria-label={words.grid.search}
            placeholder={list === "library" ? words.grid.searchHint : words.grid.searchMade}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              // Dropped here it is searched by; dropped anywhere else it comes into the library.
              if (list !== "library" || !takePicture(event.dataTransfer.files)) return;
              event.preventDefault();
              event.stopPropagation();
            }}
            onPaste={(event) => {
              if (list === "library" && takePicture(event.clipboardData.files)) event.preventDefault();
            }}
            onKeyDown={(event) => {
              if (isComposing(event.nativeEvent)) return;
              if (event.key === "Escape" && typed === "") event.currentTarget.blur();
            }}
          />
          {list === "library" && (
            <Popover
              label={words.grid.byColor}
              className={styles["swatch"]}
              button={
                <i
                  style={{ background: search.color ?? "conic-gradient(#b3261e, #e3c341, #4f8a3c, #2f6db3, #b3261e)" }}
                />
              }
            >
              <div className={styles["colors"]}>
                {[...COLORS, ...GREYS].map((color) => (
                  <button
                    key={color}
                    type="button"
                    aria-label={color}
                    aria-pressed={search.color === color}
                    style={{ background: color }}
                    onClick={() => look({ color: search.color === color ? undefined : color })}
                  />
                ))}
                <input
                  type="color"
                  aria-label={words.grid.anyColor}
                  value={search.color ?? "#888888"}
                  onChange={(event) => look({ color: event.target.value }, true)}
                />
              </div>
            </Popover>
          )}
        </div>
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
      {list === "library" && <SearchedBy />}
      {list === "library" && <Chips />}
      {list !== "library" && <MadeFilters />}
      <ProblemText error={upload.error} />
    </div>
  );
}
