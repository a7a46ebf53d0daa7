import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Settings.module.css";

/** Where one is signed in, and the tokens that one's programs use. */
export function Credentials({ me }: { me: Schemas["MeView"] }) {
  const words = useWords();
  const all = useQuery({ queryKey: ["credentials"], queryFn: () => data(api.GET("/api/v1/credentials")) });
  const revoke = useMutation({
    mutationFn: (id: string) => data(api.DELETE("/api/v1/credentials/{id}", { params: { path: { id } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["credentials"] }),
  });
  const now = new Date();
  return (
    <section aria-labelledby="credentials" className={styles["section"]}>
      <h2 id="credentials">{words.settings.credentials}</h2>
      <table className={styles["table"]}>
        <tbody>
          {all.data?.credentials.map((one) => (
            <tr key={one.id}>
              <td>
                {one.kind === "session" ? browserOf(one.name) : one.name}{" "}
                {one.id === me.credential.id && <span className="soft">· {words.settings.thisOne}</span>}
              </td>
              <td className="soft">{words.settings.kinds[one.kind as "token"] ?? one.kind}</td>
              <td className="soft">{one.scopes.join(", ")}</td>
              <td className="soft">{words.settings.seen(words.ago(new Date(one.last_seen_at), now))}</td>
              <td>
                {one.id !== me.credential.id && (
                  <button
                    type="button"
                    className="quiet"
                    disabled={revoke.isPending}
                    aria-label={words.settings.revokeOne(one.name)}
                    onClick={() => revoke.mutate(one.id)}
                  >
                    {words.settings.revoke}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ProblemText error={all.error ?? revoke.error} />
      <NewToken scopes={me.scopes} />
    </section>
  );
}

/** A token for a program: it is shown once. */
function NewToken({ scopes }: { scopes: readonly Schemas["Scope"][] }) {
  const words = useWords();
  const [chosen, setChosen] = useState<readonly Schemas["Scope"][]>(["read"]);
  const add = useMutation({
    mutationFn: (body: Schemas["TokenRequest"]) => data(api.POST("/api/v1/tokens", { body })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["credentials"] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const days = Number(form.get("days"));
    add.mutate({
      name: String(form.get("name")).trim(),
      scopes: [...chosen],
      ...(days > 0 ? { days } : {}),
    });
  };
  return (
    <form onSubmit={submit} aria-label={words.settings.newToken} className={styles["token"]}>
      <div className={styles["acts"]}>
        <label>
          <span className="label">{words.settings.tokenName}</span>
          <input className="field" name="name" required maxLength={100} />
        </label>
        <label>
          <span className="label">{words.settings.days}</span>
          <input className="field" name="days" type="number" min={1} max={3650} placeholder={words.settings.noEnd} />
        </label>
      </div>
      <fieldset className={styles["acts"]}>
        <legend className="label">{words.settings.scopes}</legend>
        {scopes.map((scope) => (
          <label key={scope}>
            <input
              type="checkbox"
              checked={chosen.includes(scope)}
              onChange={(event) =>
                setChosen((now) => (event.target.checked ? [...now, scope] : now.filter((one) => one !== scope)))
              }
            />{" "}
            {words.settings.scopeNames[scope]}
          </label>
        ))}
      </fieldset>
      <p>
        <button type="submit" className="button" disabled={chosen.length === 0 || add.isPending}>
          {words.settings.newToken}
        </button>
      </p>
      {add.data && (
        <p role="status">
          {words.settings.tokenOnce} <code className={styles["secret"]}>{add.data.token}</code>
        </p>
      )}
      <ProblemText error={add.error} />
    </form>
  );
}

const BROWSERS = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;
const SYSTEMS = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
] as const;

/** A browser as people call it; what says something else of itself, as it says it. */
function browserOf(agent: string): string {
  const named = (names: readonly (readonly [RegExp, string])[]) => names.find(([sign]) => sign.test(agent))?.[1];
  return [named(BROWSERS), named(SYSTEMS)].filter(Boolean).join(" · ") || agent;
}
