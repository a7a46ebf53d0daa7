import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { api, data, queryClient } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Welcome.module.css";

/** Where a one-time link leads: a name and a password, and one is in. What opens it stands behind the `#`, which no server sees. */
export function Welcome() {
  const words = useWords();
  const navigate = useNavigate();
  const [secret] = useState(() => {
    const found = location.hash.slice(1);
    // It works once, and is nobody else's: it does not stay in the history.
    history.replaceState(null, "", location.pathname);
    return found;
  });
  const link = useQuery({
    queryKey: ["link", secret],
    queryFn: () => data(api.POST("/api/v1/links/look", { body: { secret } })),
    retry: false,
  });
  const follow = useMutation({
    mutationFn: (body: { name: string; password: string }) =>
      data(
        api.POST("/api/v1/links/follow", {
          body: { secret, password: body.password, ...(body.name ? { name: body.name } : {}) },
        }),
      ),
    onSuccess: async () => {
      queryClient.setQueryData(["me"], await data(api.GET("/api/v1/me")));
      await navigate({ to: "/" });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    follow.mutate({ name: String(form.get("name") ?? ""), password: String(form.get("password")) });
  };
  return (
    <main className={styles["welcome"]}>
      <h1>Atelier</h1>
      {link.isError && <p role="alert">{words.signIn.ended}</p>}
      {link.data && (
        <form onSubmit={submit} className={styles["form"]}>
          <p>
            {link.data.kind === "first"
              ? words.signIn.first
              : link.data.wants_name
                ? words.signIn.welcome(link.data.role)
                : words.signIn.reset}
          </p>
          {link.data.wants_name && (
            <label>
              <span className="label">{words.signIn.name}</span>
              <input className="field" name="name" autoComplete="username" required maxLength={64} />
            </label>
          )}
          <label>
            <span className="label">{words.signIn.password}</span>
            <input
              className="field"
              name="password"
              type="password"
              autoComplete="new-password"
              required
              minLength={12}
            />
            <span className="soft small">{words.signIn.passwordHint}</span>
          </label>
          <ProblemText error={follow.error} />
          <button type="submit" className="button" disabled={follow.isPending}>
            {words.signIn.begin}
          </button>
        </form>
      )}
    </main>
  );
}
