import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, fileBody, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { FileButton } from "../shared/FileButton";
import { ModelSelect } from "../shared/ModelSelect";
import { ProblemText } from "../shared/ProblemText";
import { useLater } from "../shared/useLater";
import { useWords } from "../words";
import { dollars } from "./money";
import styles from "./Work.module.css";

/** A file of prompts: dropped, forecast, run. */
export function PromptFile() {
  const words = useWords();
  const [isOver, setOver] = useState(false);
  const upload = useMutation({
    mutationFn: (file: File) =>
      data(api.POST("/api/v1/prompts", { params: { query: { name: file.name } }, ...fileBody(file) })),
  });
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file) upload.mutate(file);
  };
  return (
    <section
      aria-label={words.work.prompts}
      className={styles["part"]}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
    >
      <div className={styles["drop"]} data-over={isOver || undefined}>
        <p>{words.work.drop}</p>
        <FileButton
          text={words.chooseFile}
          accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt"
          disabled={upload.isPending}
          onFile={upload.mutate}
        />
      </div>
      <ProblemText error={upload.error} />
      {upload.data && <Run key={upload.data.id} file={upload.data} onDone={() => upload.reset()} />}
    </section>
  );
}

/** How a file is to be run, what that takes, and the start of it. */
function Run({ file, onDone }: { file: Schemas["UploadView"]; onDone: () => void }) {
  const words = useWords();
  const [wanted, setWanted] = useState({ model: "", system: "", budget: "" });
  const [key] = useState(() => crypto.randomUUID());
  const budget = dollars(wanted.budget);
  const isWrong = wanted.budget.trim() !== "" && !(budget > 0);
  const body = JSON.stringify({
    ...(wanted.model ? { model: wanted.model } : {}),
    ...(wanted.system.trim() ? { system: wanted.system.trim() } : {}),
    ...(budget > 0 ? { max_cost_usd: budget } : {}),
    ordered: true,
  });
  const request = useLater(body, 300);
  const path = { id: file.id };
  const forecast = useQuery({
    queryKey: ["prompts", file.id, request],
    queryFn: () => data(api.POST("/api/v1/prompts/{id}/forecast", { params: { path }, body: JSON.parse(request) })),
    placeholderData: (before) => before,
  });
  const run = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/prompts/{id}/run", {
          params: { path, header: { "Idempotency-Key": key } },
          body: JSON.parse(body),
        }),
      ),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["jobs"] });
      onDone();
    },
  });
  return (
    <div className={styles["run"]}>
      <p>
        <b>{file.name}</b> {forecast.data && <span className="soft">{words.work.lines(forecast.data.lines)}</span>}
      </p>
      <div className={styles["fields"]}>
        <ModelSelect
          label={words.composer.model}
          value={wanted.model}
          usual={forecast.data?.model}
          kind="text"
          onChange={(model) => setWanted((now) => ({ ...now, model }))}
        />
        <label>
          <span className="label">{words.work.budget}</span>
          <input
            className="field"
            inputMode="decimal"
            value={wanted.budget}
            placeholder="$"
            aria-invalid={isWrong}
            onChange={(event) => setWanted((now) => ({ ...now, budget: event.target.value }))}
          />
        </label>
      </div>
      <label>
        <span className="label">{words.work.system}</span>
        <textarea
          className="field"
          rows={2}
          value={wanted.system}
          onChange={(event) => setWanted((now) => ({ ...now, system: event.target.value }))}
        />
      </label>
      <p className={styles["acts"]}>
        <button type="button" className="button main" disabled={run.isPending || isWrong} onClick={() => run.mutate()}>
          {words.work.run}
        </button>
        <button type="button" className="quiet" onClick={onDone}>
          {words.close}
        </button>
        {forecast.data && (
          <span className="soft small">
            {words.forecast(forecast.data.model.startsWith("sandbox"), forecast.data.cost_usd, forecast.data.seconds)}
          </span>
        )}
      </p>
      <ProblemText error={run.error ?? forecast.error} />
    </div>
  );
}
