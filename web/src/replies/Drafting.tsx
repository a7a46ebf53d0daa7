import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, data, queryClient } from "../api/api";
import { ModelSelect } from "../shared/ModelSelect";
import { ProblemText } from "../shared/ProblemText";
import { useLater } from "../shared/useLater";
import { useWords } from "../words";
import styles from "./Replies.module.css";

/** What is drafted for, by whom, and what that takes: the forecast follows what is chosen. */
export function Drafting({ project }: { project: string }) {
  const words = useWords();
  const [wanted, setWanted] = useState({
    hours_back: 24,
    min_followers: 1000,
    max_candidates: 150,
    greens_only: false,
    model: "",
  });
  const [key, setKey] = useState(() => crypto.randomUUID());
  const { model, ...rest } = wanted;
  const body = JSON.stringify({ ...rest, ...(model ? { model } : {}) });
  const request = useLater(body, 300);
  const path = { name: project };
  const forecast = useQuery({
    queryKey: ["drafting", project, request],
    queryFn: ({ signal }) =>
      data(
        api.POST("/api/v1/projects/{name}/drafting/forecast", { params: { path }, body: JSON.parse(request), signal }),
      ),
    placeholderData: (before) => before,
  });
  const draft = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/projects/{name}/drafting", {
          params: { path, header: { "Idempotency-Key": key } },
          body: JSON.parse(body),
        }),
      ),
    onSuccess: () => {
      setKey(crypto.randomUUID());
      void queryClient.invalidateQueries({ queryKey: ["jobs"] });
      void queryClient.invalidateQueries({ queryKey: ["drafting", project] });
    },
  });
  const set = (change: Partial<typeof wanted>) => setWanted((now) => ({ ...now, ...change }));
  const number = (name: "hours_back" | "min_followers" | "max_candidates", label: string) => (
    <label>
      <span className="label">{label}</span>
      <input
        className="field"
        type="number"
        min={name === "min_followers" ? 0 : 1}
        value={wanted[name]}
        onChange={(event) => set({ [name]: Math.max(0, event.target.valueAsNumber || 0) })}
      />
    </label>
  );
  const counts = forecast.data?.counts;
  const posts = forecast.data?.posts ?? 0;
  return (
    <section aria-label={words.replies.draft} className={styles["step"]}>
      <h2>{words.replies.draft}</h2>
      <div className={styles["numbers"]}>
        {number("hours_back", words.replies.hoursBack)}
        {number("min_followers", words.replies.minFollowers)}
        {number("max_candidates", words.replies.most)}
      </div>
      <ModelSelect
        label={words.composer.model}
        value={model}
        usual={forecast.data?.model}
        kind="text"
        onChange={(chosen) => set({ model: chosen })}
      />
      <label className="small">
        <input
          type="checkbox"
          checked={wanted.greens_only}
          onChange={(event) => set({ greens_only: event.target.checked })}
        />{" "}
        {words.replies.greensOnly}
      </label>
      {counts && (
        <p className="soft small">
          {words.replies.counts(counts.selected, counts.gated, counts.green, counts.yellow, counts.red)}
        </p>
      )}
      <p className={styles["acts"]}>
        <button
          type="button"
          className="button main"
          disabled={posts === 0 || draft.isPending}
          onClick={() => draft.mutate()}
        >
          {words.replies.draftAct(posts)}
        </button>
        {forecast.data && posts > 0 && (
          <span className="soft small">
            {words.forecast(forecast.data.model.startsWith("sandbox"), forecast.data.cost_usd, forecast.data.seconds)}
          </span>
        )}
      </p>
      {draft.data && (
        <p role="status" className="small">
          {words.replies.drafting} <Link to="/work">{words.places.work}</Link>
        </p>
      )}
      <ProblemText error={draft.error ?? forecast.error} />
    </section>
  );
}
