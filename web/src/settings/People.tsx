import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Settings.module.css";

const ROLES = ["admin", "member", "viewer"] as const;

/** Who may come in, what each may do, and what their work may cost in a day. */
export function People() {
  const words = useWords();
  const users = useQuery({ queryKey: ["users"], queryFn: () => data(api.GET("/api/v1/users")) });
  const [link, setLink] = useState<Schemas["LinkMade"] | null>(null);
  const invite = useMutation({
    mutationFn: (role: string) => data(api.POST("/api/v1/users/invitations", { body: { role } })),
    onSuccess: setLink,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    invite.mutate(String(new FormData(event.currentTarget).get("role")));
  };
  return (
    <section aria-labelledby="people" className={styles["section"]}>
      <h2 id="people">{words.settings.people}</h2>
      <table className={styles["table"]}>
        <tbody>
          {users.data?.users.map((user) => (
            <Person key={user.id} user={user} onLink={setLink} />
          ))}
        </tbody>
      </table>
      <form onSubmit={submit} className={styles["acts"]} aria-label={words.settings.invite}>
        <label>
          <span className="label">{words.settings.role}</span>
          <select className="field" name="role" defaultValue="member">
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {words.settings.roles[role]}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="button" disabled={invite.isPending}>
          {words.settings.invite}
        </button>
      </form>
      {link && (
        <p role="status">
          {words.settings.linkMade(new Date(link.expires_at))} <code className={styles["secret"]}>{link.url}</code>
        </p>
      )}
      <ProblemText error={users.error ?? invite.error} />
    </section>
  );
}

function Person({ user, onLink }: { user: Schemas["UserView"]; onLink: (link: Schemas["LinkMade"]) => void }) {
  const words = useWords();
  const path = { id: user.id };
  const change = useMutation({
    mutationFn: (body: Schemas["ChangeUser"]) => data(api.PATCH("/api/v1/users/{id}", { params: { path }, body })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["users"] }),
  });
  const reset = useMutation({
    mutationFn: () => data(api.POST("/api/v1/users/{id}/password-link", { params: { path } })),
    onSuccess: onLink,
  });
  const isOut = Boolean(user.disabled_at);
  return (
    <>
      <tr>
        <td>
          <b>{user.shown}</b> <span className="soft">{user.name}</span>
        </td>
        <td>
          <select
            className="field"
            aria-label={words.settings.roleOf(user.shown)}
            value={user.role}
            onChange={(event) => change.mutate({ role: event.target.value })}
          >
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {words.settings.roles[role]}
              </option>
            ))}
          </select>
        </td>
        <td>
          <input
            className="field"
            aria-label={words.settings.budgetOf(user.shown)}
            inputMode="decimal"
            placeholder={words.settings.noBudget}
            defaultValue={user.day_budget_usd ?? ""}
            onBlur={(event) => {
              const asked = event.target.value.trim();
              const budget = asked === "" ? null : Number(asked);
              if (budget !== (user.day_budget_usd ?? null) && !Number.isNaN(budget)) {
                change.mutate({ day_budget_usd: budget });
              }
            }}
          />
        </td>
        <td className={styles["acts"]}>
          <button type="button" className="quiet" disabled={reset.isPending} onClick={() => reset.mutate()}>
            {words.settings.passwordLink}
          </button>
          <button
            type="button"
            className="quiet"
            disabled={change.isPending}
            onClick={() => change.mutate({ disabled: !isOut })}
          >
            {isOut ? words.settings.enable : words.settings.disable}
          </button>
        </td>
      </tr>
      {(change.error ?? reset.error) && (
        <tr>
          <td colSpan={4}>
            <ProblemText error={change.error ?? reset.error} />
          </td>
        </tr>
      )}
    </>
  );
}
