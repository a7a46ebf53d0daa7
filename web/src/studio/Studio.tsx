import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useState } from "react";
import type { StudioSearch } from "../router";
import { useKeys } from "../shared/keys";
import { useWords } from "../words";
import { Composer } from "./composer/Composer";
import { useDraft } from "./draft";
import { MadeList } from "./generation/MadeList";
import { FoundList } from "./grid/FoundList";
import { LibraryList } from "./grid/LibraryList";
import { LikedList } from "./grid/LikedList";
import { SearchBar } from "./grid/SearchBar";
import { Uploads, useUploads } from "./grid/Uploads";
import styles from "./Studio.module.css";

const Details = lazy(() => import("./details/Details"));
const Edit = lazy(() => import("./edit/Edit"));
const Compare = lazy(() => import("./compare/Compare"));
const Duplicates = lazy(() => import("./library/Duplicates"));
const Trash = lazy(() => import("./library/Trash"));

/** Changes what the address says is looked at; what is not named stays. */
export function useLook() {
  const navigate = useNavigate();
  return useCallback(
    (change: Partial<StudioSearch>, replace = false) =>
      void navigate({ to: "/", search: (now) => clean({ ...now, ...change }), replace }),
    [navigate],
  );
}

function clean(search: StudioSearch): StudioSearch {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== undefined && value !== ""),
  ) as StudioSearch;
}

/** A composer beside a grid: find, make, and what was made, on one page, because people go round in it. */
export function Studio() {
  const words = useWords();
  const search = useSearch({ from: "/" });
  const look = useLook();
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const uploads = useUploads();
  const draft = useDraft();
  const [isOpen, setOpen] = useState(false);
  const list = search.in ?? "library";
  useKeys({
    "/": () => document.querySelector<HTMLElement>("input[type=search]")?.focus(),
    n: () => document.getElementById("prompt")?.focus(),
  });
  const isSearching = list === "library" && (search.q || search.like || search.f || search.color || search.upload);
  return (
    <main
      className={styles["studio"]}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        uploads.add(event.dataTransfer.files);
      }}
    >
      <h1 className="hidden">{words.places.studio}</h1>
      {/* On a phone the composer is a sheet: one line of it stands above the tabs. */}
      <button type="button" className={styles["opener"]} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span>{isOpen ? words.close : draft.prompt || words.composer.promptHint}</span>
        <b>{words.composer.label}</b>
      </button>
      <div className={styles["sheet"]} data-open={isOpen}>
        <Composer onMade={() => setOpen(false)} />
      </div>
      <div className={styles["right"]}>
        <SearchBar />
        <Uploads uploads={uploads} />
        <div ref={setScroller} className={styles["scroller"]} tabIndex={-1}>
          {list === "made" && <MadeList scroller={scroller} />}
          {list === "liked" && <LikedList scroller={scroller} />}
          {list === "library" &&
            (isSearching ? <FoundList scroller={scroller} /> : <LibraryList scroller={scroller} />)}
        </div>
      </div>
      <Suspense>
        {(search.i ?? search.m) && (
          <Details
            key={search.i ?? search.m}
            image={search.i}
            made={search.m}
            onClose={() => look({ i: undefined, m: undefined })}
          />
        )}
        {search.edit && <Edit key={search.edit} of={search.edit} onClose={() => look({ edit: undefined })} />}
        {search.show === "duplicates" && <Duplicates onClose={() => look({ show: undefined })} />}
        {search.show === "trash" && <Trash onClose={() => look({ show: undefined })} />}
        {search.compare && (
          <Compare
            generation={search.compare}
            onClose={() => look({ compare: undefined, pair: undefined, mode: undefined })}
          />
        )}
      </Suspense>
    </main>
  );
}
