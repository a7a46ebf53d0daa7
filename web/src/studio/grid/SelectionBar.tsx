import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, picture, queryClient } from "../../api/api";
import { ProblemText } from "../../shared/ProblemText";
import { save } from "../../shared/save";
import { useToast } from "../../shared/Toasts";
import { useWords } from "../../words";
import { pick } from "../draft";
import styles from "./SelectionBar.module.css";

/** What can be done with what is selected of the library. */
export function SelectionBar({ selected, clear }: { selected: ReadonlySet<string>; clear: () => void }) {
  const words = useWords();
  const toast = useToast();
  const ids = [...selected];
  const again = () => queryClient.invalidateQueries({ queryKey: ["library"] });
  const remove = useMutation({
    mutationFn: () => data(api.POST("/api/v1/library/removals", { body: { ids } })),
    onSuccess: async () => {
      clear();
      await Promise.all([again(), queryClient.invalidateQueries({ queryKey: ["search"] })]);
      const undo = async () => {
        await restore(ids);
        await Promise.all([again(), queryClient.invalidateQueries({ queryKey: ["search"] })]);
      };
      toast({ text: words.grid.deleted(ids.length), undo: () => void undo() });
    },
  });
  const exported = useMutation({
    mutationFn: async () =>
      save(await data(api.POST("/api/v1/library/exports", { body: { ids }, parseAs: "blob" })), "library.zip"),
  });
  const collect = useMutation({
    mutationFn: (name: string) => data(api.PATCH("/api/v1/library/images", { body: { ids, add_collections: [name] } })),
    onSuccess: async (_, name) => {
      toast({ text: words.grid.collected(ids.length, name) });
      await again();
    },
  });
  const [isNaming, setNaming] = useState(false);
  if (selected.size === 0) return null;
  return (
    <div role="toolbar" aria-label={words.grid.selected(selected.size)} className={styles["bar"]}>
      <b>{words.grid.selected(selected.size)}</b>
      <button
        type="button"
        className="button"
        onClick={() => {
          for (const id of ids) pick({ pick: { image: id }, name: id, thumbnail: picture.thumbnail(id) });
          clear();
        }}
      >
        {words.grid.reference}
      </button>
      {isNaming ? (
        <CollectionName
          onCancel={() => setNaming(false)}
          onChoose={(name) => {
            collect.mutate(name);
            setNaming(false);
          }}
        />
      ) : (
        <button type="button" className="button" onClick={() => setNaming(true)}>
          {words.grid.collection}
        </button>
      )}
      <button type="button" className="button" disabled={exported.isPending} onClick={() => exported.mutate()}>
        {words.grid.export}
      </button>
      <button type="button" className="button" disabled={remove.isPending} onClick={() => remove.mutate()}>
        {words.grid.delete}
      </button>
      <button type="button" className="quiet" onClick={clear}>
        {words.grid.deselect}
      </button>
      <ProblemText error={remove.error ?? exported.error ?? collect.error} />
    </div>
  );
}

/** The name of a collection: one that there is, or a new one. */
function CollectionName({ onChoose, onCancel }: { onChoose: (name: string) => void; onCancel: () => void }) {
  const words = useWords();
  const collections = useQuery({
    queryKey: ["library", "collections"],
    queryFn: () => data(api.GET("/api/v1/library/collections")),
  });
  return (
    <form
      className={styles["naming"]}
      onSubmit={(event) => {
        event.preventDefault();
        const name = String(new FormData(event.currentTarget).get("name")).trim();
        if (name) onChoose(name);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
    >
      <input
        // It was asked for: the name is what is wanted now.
        // biome-ignore lint/a11y/noAutofocus: naming begins where the button stood
        autoFocus
        className="field"
        name="name"
        list="collections"
        required
        maxLength={200}
        aria-label={words.grid.collectionName}
        placeholder={words.grid.collectionName}
      />
      <datalist id="collections">
        {collections.data?.names.map((one) => (
          <option key={one.name} value={one.name} />
        ))}
      </datalist>
      <button type="submit" className="button">
        {words.settings.write}
      </button>
    </form>
  );
}

/** Puts images of the library back: of each the latest deletion. */
async function restore(images: readonly string[]): Promise<void> {
  const missing = new Set(images);
  const ids: string[] = [];
  let after: string | null | undefined;
  do {
    const query = { limit: 500, ...(after ? { after } : {}) };
    const page = await data(api.GET("/api/v1/trash", { params: { query } }));
    for (const one of page.trash) if (one.kind === "image" && missing.delete(one.name)) ids.push(one.id);
    after = page.next;
  } while (after && missing.size > 0);
  await data(api.POST("/api/v1/trash/restorations", { body: { ids } }));
}
