/** A button that asks for a file. The same file may be chosen twice: what is wrong in it may have been mended. */
export function FileButton(props: { text: string; accept: string; disabled?: boolean; onFile: (file: File) => void }) {
  return (
    <label className="button">
      {props.text}
      <input
        type="file"
        className="hidden"
        accept={props.accept}
        disabled={props.disabled}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) props.onFile(file);
          event.target.value = "";
        }}
      />
    </label>
  );
}
