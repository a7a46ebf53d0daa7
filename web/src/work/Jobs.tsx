import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { api, data, type Job, queryClient } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import { dollars } from "./money";
import styles from "./Work.module.css";

const PAGE = 30;

/** Jobs, the newest first: how far each is, what it waits for, and what can be done about it. */
export function Jobs() {
  const words = useWords();
  const { job: asked } = useSearch({ from: "/work" });
  const jobs = useInfiniteQuery({
    queryKey: ["jobs", "all"],
    queryFn: ({ pageParam }) =>
      data(api.GET("/api/v1/jobs", { params: { query: { limit: PAGE, ...(pageParam ? { after: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const all = jobs.data?.pages.flatMap((page) => page.jobs) ?? [];
  return (
    <section aria-labelledby="now" className={styles["part"]}>
      <h2 id="now">{words.work.now}</h2>
      <ProblemText error={jobs.error} />
      {jobs.data && all.length === 0 && <p className="soft">{words.work.noJobs}</p>}
      <ul aria-label={words.work.jobs} className={styles["jobs"]}>
        {all.map((job) => (
          <JobRow key={job.job} job={job} isAsked={job.job === asked} />
        ))}
      </ul>
      {jobs.hasNextPage && (
        <button type="button" className="button" disabled={jobs.isFetching} onClick={() => void jobs.fetchNextPage()}>
          {words.more}
        </button>
      )}
    </section>
  );
}

function JobRow({ job, isAsked }: { job: Job; isAsked: boolean }) {
  const words = useWords();
  const path = { id: job.job };
  const changed = () => queryClient.invalidateQueries({ queryKey: ["jobs"] });
  const act = useMutation({
    mutationFn: (what: "pause" | "resume" | "cancel" | "retry") => {
      if (what === "pause") return data(api.POST("/api/v1/jobs/{id}/pause", { params: { path } }));
      if (what === "cancel") return data(api.POST("/api/v1/jobs/{id}/cancel", { params: { path } }));
      if (what === "resume")
        return data(api.POST("/api/v1/jobs/{id}/resume", { params: { path }, body: { max_cost_usd: null } }));
      return data(api.POST("/api/v1/jobs/{id}/retry", { params: { path }, body: { blocked: false } })).then(
        (retried) => retried.job,
      );
    },
    onSettled: changed,
  });
  const ended = job.done + job.failed + job.blocked;
  const share = job.items > 0 ? ended / job.items : 0;
  const isOver = job.state === "done" || job.state === "cancelled";
  const isPaused = job.state === "stopped";
  const button = (what: "pause" | "resume" | "cancel" | "retry", name: string) => (
    <button type="button" className="quiet" disabled={act.isPending} onClick={() => act.mutate(what)}>
      {name}
    </button>
  );
  return (
    <li className={styles["job"]} data-asked={isAsked || undefined} aria-label={job.job}>
      <div className={styles["line"]}>
        <b className={styles["title"]} title={job.title ?? undefined}>
          {words.work.kinds[job.kind as "images"] ?? job.kind}
          {job.title && <span className={styles["about"]}>{job.title}</span>}
        </b>
        <span>
          {job.items > 0 && words.generation.foot(ended, job.items)}
          {!["running", "open", "done"].includes(job.state) && (
            <span className={styles["parked"]}> · {words.work.states[job.state as "parked"] ?? job.state}</span>
          )}
        </span>
      </div>
      <div className={styles["line"]}>
        <span className="soft small">{aboutJob(job, words)}</span>
        <span className={styles["acts"]}>
          {!isOver && !isPaused && button("pause", words.work.pause)}
          {!isOver && isPaused && button("resume", words.work.resume)}
          {!isOver && job.state === "parked" && button("resume", words.work.resume)}
          {!isOver && button("cancel", words.generation.cancel)}
          {job.state === "done" && job.failed > 0 && button("retry", words.work.retry(job.failed))}
          {job.kind === "prompts" && ended > 0 && (
            <a
              className="quiet"
              href={`/api/v1/jobs/${encodeURIComponent(job.job)}/answers`}
              download={`${job.job}.jsonl`}
            >
              {isOver ? words.details.download : words.work.downloadSoFar}
            </a>
          )}
        </span>
      </div>
      <div
        role="progressbar"
        aria-label={words.work.progress(ended, job.items)}
        aria-valuemin={0}
        aria-valuemax={Math.max(1, job.items)}
        aria-valuenow={ended}
        className={styles["bar"]}
      >
        <i style={{ width: `${share * 100}%` }} data-over={isOver || undefined} />
      </div>
      {isPaused && job.max_cost_usd && <MoreBudget job={job} most={job.max_cost_usd} />}
      <ProblemText error={act.error} />
    </li>
  );
}

/** Another budget for a job that has reached its own, and it goes on. */
function MoreBudget({ job, most }: { job: Job; most: number }) {
  const words = useWords();
  const [written, setWritten] = useState(String(most));
  const budget = dollars(written);
  const resume = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/jobs/{id}/resume", {
          params: { path: { id: job.job } },
          body: { max_cost_usd: budget },
        }),
      ),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["jobs"] }),
  });
  return (
    <form
      className={styles["acts"]}
      onSubmit={(event) => {
        event.preventDefault();
        resume.mutate();
      }}
    >
      <label>
        <span className="soft small">{words.work.budget}</span>{" "}
        <input
          className={`field ${styles["amount"]}`}
          inputMode="decimal"
          value={written}
          aria-invalid={!(budget > 0)}
          onChange={(event) => setWritten(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={resume.isPending || !(budget > most)}>
        {words.work.resumeWith(words.money(budget > 0 ? budget : most))}
      </button>
      <ProblemText error={resume.error} />
    </form>
  );
}

/** What a job is, in a line: the model, what it waits for and until when, what failed, what it cost. */
function aboutJob(job: Job, words: ReturnType<typeof useWords>): string {
  const cost =
    job.sandbox || job.calls === 0
      ? null
      : job.cost_usd === null || job.cost_usd === undefined
        ? words.composer.unknownPrice
        : words.money(job.cost_usd);
  const budget = job.max_cost_usd ? words.work.ofBudget(words.money(job.max_cost_usd)) : null;
  const until = job.resume_at ? words.work.until(new Date(job.resume_at)) : null;
  return [
    job.model?.replace(/^(gemini|openai):/, ""),
    job.sandbox ? words.composer.free : null,
    cost && budget ? `${cost} ${budget}` : cost,
    job.failed > 0 ? words.work.failed(job.failed) : null,
    job.blocked > 0 ? words.work.refused(job.blocked) : null,
    job.state === "done" ? null : job.note,
    until,
    words.ago(new Date(job.created_at), new Date()),
  ]
    .filter(Boolean)
    .join(" · ");
}
