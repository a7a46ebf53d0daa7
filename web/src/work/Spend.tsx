import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useMe } from "../shared/Shell";
import { useWords } from "../words";
import styles from "./Work.module.css";

const DAYS = 30;
const BY = ["model", "project", "owner"] as const;
type By = (typeof BY)[number];

function useCosts(by: Schemas["CostBy"], everybody: boolean) {
  const from = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
  return useQuery({
    queryKey: ["costs", by, from, everybody],
    queryFn: () => data(api.GET("/api/v1/costs", { params: { query: { by, from, everybody } } })),
  });
}

/** What was spent: a bar a day, the budget as a line, and by model, project or person; what a liked image costs. */
export function Spend() {
  const words = useWords();
  const { data: me } = useMe();
  const isAdmin = me?.user.role === "admin" && me.scopes.includes("admin");
  const [everybody, setEverybody] = useState(false);
  const [by, setBy] = useState<By>("model");
  const days = useCosts("day", everybody);
  const rows = useCosts(by, everybody);
  const liked = useQuery({
    queryKey: ["costs", "liked", everybody],
    queryFn: () => data(api.GET("/api/v1/costs/liked", { params: { query: { everybody } } })),
  });
  const users = useQuery({
    queryKey: ["users"],
    queryFn: () => data(api.GET("/api/v1/users")),
    enabled: isAdmin && by === "owner",
  });
  const people = new Map(users.data?.users.map((user) => [user.id, user.shown]));
  if (me) people.set(me.user.id, me.user.shown);
  const budget = everybody ? null : (me?.user.day_budget_usd ?? null);
  return (
    <>
      <section aria-labelledby="spend" className={styles["part"]}>
        <header className={styles["line"]}>
          <h2 id="spend">{words.meter.spend}</h2>
          {isAdmin && (
            <label className="soft small">
              <input type="checkbox" checked={everybody} onChange={(event) => setEverybody(event.target.checked)} />{" "}
              {words.work.everybody}
            </label>
          )}
        </header>
        <ProblemText error={days.error ?? rows.error} />
        {days.data?.rows.every((row) => row.cost_usd === 0) && <p className="soft">{words.work.nothingSpent}</p>}
        {days.data?.rows.some((row) => row.cost_usd !== 0) && <Bars costs={days.data} budget={budget} />}
        <div className={`segments ${styles["by"]}`}>
          {BY.map((one) => (
            <label key={one}>
              <input type="radio" name="by" checked={by === one} onChange={() => setBy(one)} />
              {words.work.by[one]}
            </label>
          ))}
        </div>
        <table className={styles["table"]} hidden={rows.data?.rows.length === 0}>
          <thead>
            <tr>
              <th scope="col">{words.work.by[by]}</th>
              <th scope="col">{words.work.calls}</th>
              <th scope="col">{words.details.cost}</th>
            </tr>
          </thead>
          <tbody>
            {rows.data?.rows.map((row) => {
              const name = String((row as Record<string, unknown>)[by] ?? "");
              return (
                <tr key={name}>
                  <td>{by === "owner" ? (people.get(name) ?? name) : name}</td>
                  <td>{words.count(row.calls)}</td>
                  <td>
                    {row.cost_usd === null || row.cost_usd === undefined
                      ? words.composer.unknownPrice
                      : words.money(row.cost_usd)}
                    {row.estimated && <span className="soft"> · {words.details.estimated}</span>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {rows.data && rows.data.sandbox_calls > 0 && (
          <p className="soft small">{words.meter.sandboxCalls(rows.data.sandbox_calls)}</p>
        )}
      </section>
      <section aria-labelledby="liked" className={styles["part"]}>
        <h2 id="liked">{words.work.likedCosts}</h2>
        {liked.data?.models.length === 0 && <p className="soft">{words.work.noLiked}</p>}
        {(liked.data?.models.length ?? 0) > 0 && (
          <table className={styles["table"]}>
            <thead>
              <tr>
                <th scope="col">{words.composer.model}</th>
                <th scope="col">{words.work.made}</th>
                <th scope="col">{words.work.likedOnes}</th>
                <th scope="col">{words.work.likedOne}</th>
              </tr>
            </thead>
            <tbody>
              {liked.data?.models.map((row) => (
                <tr key={row.model}>
                  <td>{row.model}</td>
                  <td>{words.count(row.images)}</td>
                  <td>{words.count(row.liked)}</td>
                  <td>
                    {row.cost_of_liked_usd === null || row.cost_of_liked_usd === undefined
                      ? "–"
                      : words.money(row.cost_of_liked_usd)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <ProblemText error={liked.error} />
      </section>
    </>
  );
}

/** A bar a day. What is estimated is hatched; the table of it stands behind, for whoever does not see bars. */
function Bars({ costs, budget }: { costs: Schemas["CostView"]; budget: number | null }) {
  const words = useWords();
  const of = new Map(costs.rows.map((row) => [String((row as Record<string, unknown>)["day"]), row]));
  const days = Array.from({ length: DAYS }, (_, back) =>
    new Date(Date.now() - (DAYS - 1 - back) * 86_400_000).toISOString().slice(0, 10),
  );
  const most = Math.max(budget ?? 0, ...costs.rows.map((row) => row.cost_usd ?? 0), 0.01);
  const today = of.get(days.at(-1) ?? "")?.cost_usd ?? 0;
  const month = days.at(-1)?.slice(0, 7) ?? "";
  const soFar = costs.rows.reduce(
    (sum, row) => (String((row as Record<string, unknown>)["day"]).startsWith(month) ? sum + (row.cost_usd ?? 0) : sum),
    0,
  );
  return (
    <figure className={styles["figure"]}>
      <table className="hidden">
        <tbody>
          {costs.rows.map((row) => {
            const day = String((row as Record<string, unknown>)["day"]);
            return (
              <tr key={day}>
                <th scope="row">{day}</th>
                <td>{row.cost_usd === null || row.cost_usd === undefined ? "–" : words.money(row.cost_usd)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <div className={styles["bars"]} aria-hidden>
        {budget !== null && (
          <span className={styles["budget"]} style={{ bottom: `${(budget / most) * 100}%` }}>
            {words.work.dayBudget(words.money(budget))}
          </span>
        )}
        {days.map((day) => {
          const row = of.get(day);
          const cost = row?.cost_usd ?? 0;
          return (
            <i
              key={day}
              title={`${day}: ${words.money(cost)}`}
              className={row?.estimated ? "hatch" : undefined}
              style={{ height: `${(cost / most) * 100}%` }}
            />
          );
        })}
      </div>
      <figcaption className={`soft small ${styles["line"]}`}>
        <span>{days[0]}</span>
        <span>{words.work.month(words.money(today), words.money(soFar), words.money(forecastOf(soFar)))}</span>
      </figcaption>
    </figure>
  );
}

/** What the month comes to if its days go on as they were. */
function forecastOf(soFar: number): number {
  const now = new Date();
  const passed = now.getUTCDate() - 1 + (now.getUTCHours() + 1) / 24;
  const days = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate();
  return (soFar / Math.max(passed, 1 / 24)) * days;
}
