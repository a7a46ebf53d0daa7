import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useMe } from "../shared/Shell";
import { useWords } from "../words";
import styles from "./Work.module.css";

/** What is used of a limit changes with each call, which nobody is told of one by one. */
const LOOK_AGAIN = 5000;

/** Each pool's window as a line, with a tick where each call left: it moves to the left and is free again at its end. */
export function Limits() {
  const words = useWords();
  const { data: me } = useMe();
  const isAdmin = me?.scopes.includes("admin") ?? false;
  const quotas = useQuery({
    queryKey: ["quotas"],
    queryFn: () => data(api.GET("/api/v1/quotas")),
    refetchInterval: LOOK_AGAIN,
  });
  const forget = useMutation({
    mutationFn: (pool: string) => data(api.POST("/api/v1/quotas/forget", { body: { pool } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["quotas"] }),
  });
  // One without limits is there to be given some.
  const pools = quotas.data?.pools.filter((pool) => pool.limits.length > 0 || isAdmin) ?? [];
  return (
    <section aria-labelledby="limits" className={styles["part"]}>
      <h2 id="limits">{words.meter.limits}</h2>
      <ProblemText error={quotas.error ?? forget.error} />
      {quotas.data && pools.length === 0 && <p className="soft">{words.meter.noLimits}</p>}
      <ul className={styles["pools"]}>
        {pools.map((pool) => (
          <li key={pool.pool} aria-label={pool.pool}>
            {pool.limits.length === 0 && (
              <p className={styles["line"]}>
                <b>{pool.pool}</b>
                <span className="soft small">{words.work.noLimit}</span>
              </p>
            )}
            {pool.limits.map((limit) => (
              <div key={limit.limit} className={styles["pool"]}>
                <div className={styles["line"]}>
                  <span>
                    <b>{pool.pool}</b>
                    {limit.learnt_at && <span className="soft"> · {words.work.learnt(new Date(limit.learnt_at))}</span>}
                  </span>
                  <span className="soft small">
                    {words.meter.used(amount(limit.used), `${amount(limit.amount)} · ${limit.limit}`)}
                    {limit.frees_at && ` · ${words.work.frees(new Date(limit.frees_at))}`}
                  </span>
                </div>
                <Comb pool={pool} window={windowOf(limit.limit)} at={quotas.dataUpdatedAt} />
                {limit.learnt_at && isAdmin && (
                  <button type="button" className="quiet" onClick={() => forget.mutate(pool.pool)}>
                    {words.settings.forget}
                  </button>
                )}
              </div>
            ))}
            {isAdmin && !pool.pool.endsWith("/") && <Change key={pool.limits.map(written).join()} pool={pool} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A limit as it is written. */
function written(limit: Schemas["LimitView"]): string {
  return limit.limit;
}

/** Other limits for a pool, in the place of those that are configured. */
function Change({ pool }: { pool: Schemas["PoolView"] }) {
  const words = useWords();
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState(() =>
    pool.limits
      .filter((limit) => !limit.learnt_at)
      .map(written)
      .join("\n"),
  );
  const set = useMutation({
    mutationFn: (limits: string[]) => data(api.PUT("/api/v1/quotas", { body: { pool: pool.pool, limits } })),
    onSuccess: () => {
      setOpen(false);
      void queryClient.invalidateQueries({ queryKey: ["quotas"] });
    },
  });
  if (!isOpen) {
    return (
      <button type="button" className="quiet" onClick={() => setOpen(true)}>
        {pool.is_set ? words.work.changeSet : words.work.change}
      </button>
    );
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (
    <form
      className={styles["change"]}
      onSubmit={(event) => {
        event.preventDefault();
        set.mutate(lines);
      }}
    >
      <label>
        <span className="label">{words.work.limitsOf(pool.pool)}</span>
        <textarea
          className="field"
          rows={Math.max(2, lines.length + 1)}
          placeholder={"requests=15/60s\nusd=5/day"}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p className={styles["acts"]}>
        <button type="submit" className="button" disabled={set.isPending || lines.length === 0}>
          {words.settings.write}
        </button>
        {pool.is_set && (
          <button type="button" className="button" disabled={set.isPending} onClick={() => set.mutate([])}>
            {words.work.asConfigured}
          </button>
        )}
        <button type="button" className="quiet" onClick={() => setOpen(false)}>
          {words.close}
        </button>
      </p>
      <ProblemText error={set.error} />
    </form>
  );
}

/** The window in seconds of a limit as it is written, such as `requests=15/60s`; none of a day's. */
function windowOf(limit: string): number | null {
  const found = /\/(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(limit);
  if (!found) return null;
  const unit = { ms: 0.001, s: 1, m: 60, h: 3600 }[found[2] as "s"];
  return Number(found[1]) * unit;
}

function Comb({ pool, window, at }: { pool: Schemas["PoolView"]; window: number | null; at: number }) {
  const now = useSeconds(pool.recent.length > 0);
  if (window === null) return null;
  const since = (now - at) / 1000;
  return (
    <div className={styles["comb"]} aria-hidden>
      {pool.recent.map((ago, n) => {
        const share = (ago + since) / window;
        // Calls have no name but their place among those that left.
        const key = `${n}`;
        return share > 1 ? null : <i key={key} style={{ right: `${share * 100}%`, opacity: 1 - share * 0.75 }} />;
      })}
      <span className="soft">−{window} s</span>
      <span className="soft">0 s</span>
    </div>
  );
}

/** The time, each second as long as something moves by it. */
function useSeconds(isMoving: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isMoving) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isMoving]);
  return now;
}

function amount(of: Schemas["LimitAmount"]): string {
  return String(of);
}
