import { useMutation } from "@tanstack/react-query";

import { api, data, fileBody, picture } from "../../api/api";
import { FileButton } from "../../shared/FileButton";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { type Picked, useDraft } from "../draft";
import styles from "./Edit.module.css";

/** A picture of what is to be put in: one that was dropped, pasted or chosen, or one of the composer's own. */
export type Replacement = Picked;

export function ReplacementField(props: { chosen: Replacement | null; onChoose: (one: Replacement | null) => void }) {
  const words = useWords();
  const { picks } = useDraft();
  const upload = useMutation({
    mutationFn: (file: File) =>
      data(api.POST("/api/v1/uploads", { params: { query: { name: file.name } }, ...fileBody(file) })),
    onSuccess: (uploaded) =>
      props.onChoose({ pick: { upload: uploaded.id }, name: uploaded.name, thumbnail: picture.upload(uploaded.id) }),
  });
  const take = (files: FileList): boolean => {
    const file = [...files].find((one) => one.type.startsWith("image/"));
    if (file) upload.mutate(file);
    return file !== undefined;
  };
  const others = picks.filter((one) => one.thumbnail !== props.chosen?.thumbnail);
  return (
    <fieldset
      className={styles["replacement"]}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        take(event.dataTransfer.files);
      }}
      onPaste={(event) => {
        if (take(event.clipboardData.files)) event.preventDefault();
      }}
    >
      <legend className="label">{words.edit.replacement}</legend>
      {props.chosen ? (
        <p className={styles["chosen"]}>
          <img src={props.chosen.thumbnail} alt={props.chosen.name} />
          <button type="button" className="quiet" onClick={() => props.onChoose(null)}>
            {words.composer.remove(props.chosen.name)}
          </button>
        </p>
      ) : (
        <FileButton text={words.chooseFile} accept="image/*" disabled={upload.isPending} onFile={upload.mutate} />
      )}
      {others.length > 0 && (
        <p className={styles["chosen"]}>
          {others.map((one) => (
            <button
              key={one.thumbnail}
              type="button"
              className="quiet"
              aria-label={words.edit.take(one.name)}
              onClick={() => props.onChoose(one)}
            >
              <img src={one.thumbnail} alt="" />
            </button>
          ))}
        </p>
      )}
      <ProblemText error={upload.error} />
    </fieldset>
  );
}
