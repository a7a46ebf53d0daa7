import { useSearch } from "@tanstack/react-router";

import { picture } from "../../api/api";
import { useWords } from "../../words";
import { useLook } from "../Studio";
import styles from "./SearchBar.module.css";

/** The picture that is searched by, and the way to be without it. */
export function SearchedBy() {
  const words = useWords();
  const { upload, like, color } = useSearch({ from: "/" });
  const look = useLook();
  if (!upload && !like && !color) return null;
  return (
    <p className={styles["by"]}>
      {upload && <img src={picture.upload(upload)} alt={words.grid.yourPicture} />}
      {like && <img src={picture.thumbnail(like)} alt={words.grid.likeThis} />}
      {color && <i style={{ background: color }} title={color} />}
      <button
        type="button"
        className="quiet"
        onClick={() => look({ upload: undefined, like: undefined, color: undefined })}
      >
        {words.composer.remove(upload ? words.grid.yourPicture : like ? words.grid.thePicture : words.grid.color)}
      </button>
    </p>
  );
}
