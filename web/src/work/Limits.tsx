import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useMe } from "../shared/Shell";
import { useWords } from "../words";
import styles from "./Work.module.css";

/** Each pool's window as a line, with a tick where each call left: it moves to the left and is free again at its end. */
export function Limits() {
  const words = useWords();
  const { data: me } = useMe();
  const isAdmin = me?.scopes.includes("admin") ?? false;
  const quotas = useQuery({
    queryKey: ["quotas"],
    queryFn: () => data(api.GET("/api/v1/quotas")),
  });
  const forget = useMutation({
    mutationFn: (pool: string) => data(api.POST("/api/v1/quotas/forget", { body: { pool } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["quotas"] }),
  });
  const pools = quotas.data?.pools.filter((pool) => pool.limits.length > 0) ?? [];
  return (
    <section aria-labelledby="limits" className={styles["part"]}>
      <h2 id="limits">{words.meter.limits}</h2>
      <ProblemText error={quotas.error ?? forget.error} />
      {quotas.data && pools.length === 0 && <p className="soft">{words.meter.noLimits}</p>}
      <ul className={styles["pools"]}>
        {pools.map((pool) => (
          <li key={pool.pool}>
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
          </li>
        ))}
      </ul>
    </section>
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
