import { useQuery } from "@tanstack/react-query";

import { api, data } from "../api/api";
import { useWords } from "../words";
import styles from "./Meter.module.css";
import { Popover } from "./Popover";

/** What is spent today and what the limits are: at the end of the bar, always. */
export function Meter() {
  const words = useWords();
  const today = new Date().toISOString().slice(0, 10);
  const costs = useQuery({
    queryKey: ["costs", today],
    queryFn: () => data(api.GET("/api/v1/costs", { params: { query: { by: "day", from: today } } })),
  });
  const quotas = useQuery({ queryKey: ["quotas"], queryFn: () => data(api.GET("/api/v1/quotas")) });
  const me = useQuery({ queryKey: ["me"], queryFn: () => data(api.GET("/api/v1/me")), enabled: false });
  const jobs = useQuery({
    queryKey: ["jobs", "open"],
    queryFn: () => data(api.GET("/api/v1/jobs", { params: { query: { limit: 50 } } })),
  });
  const making =
    jobs.data?.jobs.filter((job) => job.pending > 0 && ["running", "open"].includes(job.state)).length ?? 0;
  const spent = costs.data?.known_usd ?? 0;
  const budget = me.data?.user.day_budget_usd ?? null;
  const known = costs.data?.total_usd === null ? words.meter.atLeast(words.money(spent)) : words.money(spent);
  const isFree = spent === 0 && budget === null;
  const money = isFree ? words.meter.free : words.meter.today(known, budget === null ? null : words.money(budget));
  return (
    <Popover
      label={words.meter.label}
      className={styles["meter"]}
      button={
        <>
          {making > 0 && <b>{words.meter.making(making)}</b>}
          <span>{money}</span>
        </>
      }
    >
      <h2>{words.meter.limits}</h2>
      {quotas.data?.pools.length === 0 && <p className="soft">{words.meter.noLimits}</p>}
      <ul className={styles["pools"]}>
        {quotas.data?.pools.map((pool) => (
          <li key={pool.pool}>
            <p className={styles["pool"]}>{pool.pool}</p>
            {pool.limits.map((limit) => (
              <p key={limit.limit} className="soft">
                {limit.limit}: {words.meter.used(amount(limit.used), amount(limit.amount))}
              </p>
            ))}
          </li>
        ))}
      </ul>
      <h2>{words.meter.spend}</h2>
      <p>{money}</p>
      {costs.data && costs.data.sandbox_calls > 0 && (
        <p className="soft">{words.meter.sandboxCalls(costs.data.sandbox_calls)}</p>
      )}
    </Popover>
  );
}

function amount(of: unknown): string {
  return typeof of === "object" && of !== null ? String(Object.values(of)[0]) : String(of);
}
