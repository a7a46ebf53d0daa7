import { useMutation } from "@tanstack/react-query";

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
    onSuccess: again,
  });
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
      <button
        type="button"
        className="button"
        onClick={() => {
          const name = prompt(words.grid.collectionName)?.trim();
          if (name) collect.mutate(name);
        }}
      >
        {words.grid.collection}
      </button>
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

/** Puts images of the library back: of each the latest deletion. */
async function restore(images: readonly string[]): Promise<void> {
  const { trash } = await data(api.GET("/api/v1/trash", { params: { query: { limit: 500 } } }));
  const ids = images.flatMap((id) => trash.find((one) => one.kind === "image" && one.name === id)?.id ?? []);
  await data(api.POST("/api/v1/trash/restorations", { body: { ids } }));
}
