import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useToast } from "../shared/Toasts";
import { useWords } from "../words";
import styles from "./Settings.module.css";

/** One's own name and password. */
export function Person({ me }: { me: Schemas["MeView"] }) {
  const words = useWords();
  const toast = useToast();
  const change = useMutation({
    mutationFn: (body: Schemas["ChangeMe"]) => data(api.PATCH("/api/v1/me", { body })),
    onSuccess: async () => {
      toast({ text: words.saved });
      await queryClient.invalidateQueries({ queryKey: ["me"] });
    },
  });
  const rename = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    change.mutate({ shown: String(new FormData(event.currentTarget).get("shown")).trim() });
  };
  const secure = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    change.mutate({
      current_password: String(form.get("current")),
      password: String(form.get("next")),
    });
  };
  return (
    <section aria-labelledby="person" className={styles["section"]}>
      <h2 id="person">{words.account}</h2>
      <p className="soft">
        {me.user.name} · {words.settings.roles[me.user.role as "admin"] ?? me.user.role}
        {me.user.day_budget_usd ? ` · ${words.work.dayBudget(words.money(me.user.day_budget_usd))}` : ""}
      </p>
      <form onSubmit={rename} className={styles["acts"]}>
        <label>
          <span className="label">{words.settings.shown}</span>
          <input className="field" name="shown" required maxLength={100} defaultValue={me.user.shown} />
        </label>
        <button type="submit" className="button" disabled={change.isPending}>
          {words.settings.write}
        </button>
      </form>
      {me.user.can_sign_in && (
        <form onSubmit={secure} className={styles["acts"]}>
          <label>
            <span className="label">{words.settings.currentPassword}</span>
            <input className="field" name="current" type="password" autoComplete="current-password" required />
          </label>
          <label>
            <span className="label">{words.settings.nextPassword}</span>
            <input
              className="field"
              name="next"
              type="password"
              autoComplete="new-password"
              required
              minLength={12}
              title={words.signIn.passwordHint}
            />
          </label>
          <button type="submit" className="button" disabled={change.isPending}>
            {words.settings.write}
          </button>
        </form>
      )}
      <ProblemText error={change.error} />
    </section>
  );
}
