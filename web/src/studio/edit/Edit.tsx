import { useMutation, useQuery } from "@tanstack/react-query";
import { useReducer, useRef, useState } from "react";

import { api, data, fileBody, type Generation, picture, queryClient } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { useKeys } from "../../shared/keys";
import { ModelSelect } from "../../shared/ModelSelect";
import { ProblemText } from "../../shared/ProblemText";
import { useWords } from "../../words";
import { SANDBOX } from "../draft";
import { useLook } from "../Studio";
import styles from "./Edit.module.css";
import { MaskCanvas } from "./MaskCanvas";
import { type Replacement, ReplacementField } from "./ReplacementField";
import { drawn, EMPTY, isBlank, maskFile, type Tool } from "./strokes";

const TOOLS: readonly Tool[] = ["brush", "eraser", "rectangle"];
const KEYS = { brush: "B", eraser: "E", rectangle: "R" } as const;
const COUNTS = [1, 2, 4];
const [LEAST, MOST] = [0.005, 0.3];

/** Changes part of a picture: a mask says where, a prompt what. Nothing outside the mask changes, unless it is asked for. */
export default function Edit({ of, onClose }: { of: string; onClose: () => void }) {
  const words = useWords();
  const look = useLook();
  const [kind, id] = [of.slice(0, of.indexOf(":")), of.slice(of.indexOf(":") + 1)];
  const isMade = kind === "made";
  const [dialog, setDialog] = useState<HTMLDialogElement | null>(null);
  const [mask, act] = useReducer(drawn, EMPTY);
  const [tool, setTool] = useState<Tool>("brush");
  const [size, setSize] = useState(0.06);
  const [isShown, setShown] = useState(true);
  const [prompt, setPrompt] = useState("");
  const [count, setCount] = useState(2);
  const [model, setModel] = useState(SANDBOX);
  const [other, setOther] = useState("");
  const [replacement, setReplacement] = useState<Replacement | null>(null);
  const [isWhole, setWhole] = useState(false);
  const pixels = useRef({ width: 0, height: 0 });
  const image = useQuery({
    queryKey: ["library", "image", id],
    queryFn: () => data(api.GET("/api/v1/library/images/{id}", { params: { path: { id } } })),
    enabled: !isMade,
  });
  const make = useMutation({
    mutationFn: async () => {
      const file = await maskFile(mask, pixels.current.width, pixels.current.height);
      const upload = await data(
        api.POST("/api/v1/uploads", { params: { query: { name: "mask.png" } }, ...fileBody(file) }),
      );
      return await data(
        api.POST("/api/v1/edits", {
          params: { header: { "Idempotency-Key": crypto.randomUUID() } },
          body: {
            prompt: prompt.trim(),
            picture: isMade ? { made: id } : { image: id },
            mask: upload.id,
            count,
            model,
            whole: isWhole,
            ...(other ? { compare: other } : {}),
            ...(replacement ? { replacement: replacement.pick } : {}),
          },
        }),
      );
    },
    onSuccess: (made: Generation) => {
      queryClient.setQueryData(["generation", made.generation], made);
      void queryClient.invalidateQueries({ queryKey: ["made"] });
      look({ edit: undefined, in: "made", q: undefined });
    },
  });
  useKeys(
    {
      b: () => setTool("brush"),
      e: () => setTool("eraser"),
      r: () => setTool("rectangle"),
      "[": () => setSize((now) => Math.max(LEAST, now / 1.25)),
      "]": () => setSize((now) => Math.min(MOST, now * 1.25)),
      z: () => act({ kind: "undo" }),
      y: () => act({ kind: "redo" }),
      v: () => act({ kind: "invert" }),
      m: () => setShown((now) => !now),
    },
    dialog,
  );
  const isReady = prompt.trim() !== "" && !isBlank(mask);
  return (
    <Dialog label={words.edit.title} onClose={onClose} isDark dialog={setDialog}>
      <div className={styles["tools"]}>
        <div role="group" aria-label={words.edit.tools} className="segments">
          {TOOLS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={tool === one}
              className={tool === one ? "on" : ""}
              onClick={() => setTool(one)}
            >
              {words.edit[one]}&ensp;<kbd aria-hidden>{KEYS[one]}</kbd>
            </button>
          ))}
        </div>
        <label className={styles["size"]}>
          <span className="label">{words.edit.size}</span>
          <input
            type="range"
            aria-label={words.edit.size}
            min={LEAST}
            max={MOST}
            step={0.005}
            value={size}
            onChange={(event) => setSize(Number(event.target.value))}
          />
        </label>
        <button
          type="button"
          className="button"
          disabled={mask.strokes.length === 0}
          onClick={() => act({ kind: "undo" })}
        >
          {words.edit.undo} <kbd aria-hidden>Z</kbd>
        </button>
        <button
          type="button"
          className="button"
          disabled={mask.undone.length === 0}
          onClick={() => act({ kind: "redo" })}
        >
          {words.edit.redo} <kbd aria-hidden>Y</kbd>
        </button>
        <button type="button" className="button" aria-pressed={mask.isInverted} onClick={() => act({ kind: "invert" })}>
          {words.edit.invert} <kbd aria-hidden>V</kbd>
        </button>
        <button type="button" className="button" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {words.edit.showMask} <kbd aria-hidden>M</kbd>
        </button>
      </div>
      <div className={styles["page"]}>
        <MaskCanvas
          src={isMade ? picture.made(id) : picture.large(id, image.data?.format)}
          alt={words.edit.original}
          mask={mask}
          isShown={isShown}
          tool={tool}
          size={size}
          onStroke={(stroke) => act({ kind: "add", stroke })}
          onSize={(width, height) => {
            pixels.current = { width, height };
          }}
        />
        <form
          className={styles["form"]}
          aria-label={words.edit.title}
          onSubmit={(event) => {
            event.preventDefault();
            if (isReady) make.mutate();
          }}
        >
          <label>
            <span className="label">{words.edit.prompt}</span>
            <textarea className="field" rows={4} value={prompt} onChange={(event) => setPrompt(event.target.value)} />
          </label>
          <ReplacementField chosen={replacement} onChoose={setReplacement} />
          <ModelSelect label={words.composer.side("A")} value={model} kind="images" onChange={setModel} />
          <ModelSelect
            label={words.composer.side("B")}
            value={other}
            none={words.edit.noSide}
            kind="images"
            onChange={setOther}
          />
          <div role="radiogroup" aria-label={words.composer.count} className="segments">
            {COUNTS.map((one) => (
              <label key={one}>
                <input type="radio" name="edit-count" checked={count === one} onChange={() => setCount(one)} />
                {one}
              </label>
            ))}
          </div>
          <label className={styles["whole"]}>
            <input type="checkbox" checked={isWhole} onChange={(event) => setWhole(event.target.checked)} />
            {words.edit.whole}
          </label>
          <p className="soft small">
            {isBlank(mask) ? words.edit.drawFirst : isWhole ? words.edit.all : words.edit.within}
          </p>
          <ProblemText error={make.error} />
          <button type="submit" className={styles["make"]} disabled={!isReady || make.isPending}>
            {words.composer.make(other ? `${count} + ${count}` : String(count))}
          </button>
        </form>
      </div>
    </Dialog>
  );
}
