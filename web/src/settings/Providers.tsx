import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, data, queryClient } from "../api/api";
import type { Schemas } from "../api/client";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Settings.module.css";

/** Providers' keys: written, tried, and never read. */
export function Providers() {
  const words = useWords();
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => data(api.GET("/api/v1/providers")) });
  return (
    <section aria-labelledby="providers" className={styles["section"]}>
      <h2 id="providers">{words.settings.providers}</h2>
      <p className="soft">{words.settings.providersText}</p>
      <ProblemText error={providers.error} />
      {providers.data?.providers.map((provider) => (
        <ProviderKey key={provider.account} provider={provider} />
      ))}
    </section>
  );
}

function ProviderKey({ provider }: { provider: Schemas["ProviderView"] }) {
  const words = useWords();
  const [name = "", account = ""] = provider.account.split("/");
  const path = { provider: name, account };
  const [isTaken, setTaken] = useState<number | null>(null);
  const changed = () => {
    setTaken(null);
    void queryClient.invalidateQueries({ queryKey: ["providers"] });
    void queryClient.invalidateQueries({ queryKey: ["models"] });
  };
  const write = useMutation({
    mutationFn: (key: string) =>
      data(api.PUT("/api/v1/providers/{provider}/{account}/key", { params: { path }, body: { key } })),
    onSuccess: changed,
  });
  const forget = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/providers/{provider}/{account}/key", { params: { path } })),
    onSuccess: changed,
  });
  const attempt = useMutation({
    mutationFn: () => data(api.POST("/api/v1/providers/{provider}/{account}/try", { params: { path } })),
    onSuccess: (answer) => setTaken(answer.models),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    write.mutate(String(new FormData(form).get("key")), { onSuccess: () => form.reset() });
  };
  const hasKey = provider.key === "written" || provider.key === "environment";
  return (
    <form className={styles["provider"]} onSubmit={submit} aria-label={provider.account}>
      <p>
        <b>{provider.account}</b> <span className="soft">{provider.address}</span>
      </p>
      <p className="soft small">
        {provider.key === "environment"
          ? words.settings.fromEnvironment(provider.variable ?? "")
          : words.settings.key[provider.key]}
      </p>
      <div className={styles["acts"]}>
        {provider.key !== "environment" && (
          <>
            <input
              className="field"
              name="key"
              type="password"
              autoComplete="off"
              required
              aria-label={words.settings.newKey}
              placeholder={words.settings.newKey}
            />
            <button type="submit" className="button" disabled={write.isPending}>
              {words.settings.write}
            </button>
          </>
        )}
        {hasKey && (
          <button type="button" className="button" disabled={attempt.isPending} onClick={() => attempt.mutate()}>
            {words.settings.try}
          </button>
        )}
        {provider.key === "written" && (
          <button type="button" className="button" disabled={forget.isPending} onClick={() => forget.mutate()}>
            {words.settings.forget}
          </button>
        )}
      </div>
      {isTaken !== null && <p role="status">{words.settings.taken(isTaken)}</p>}
      <ProblemText error={write.error ?? forget.error ?? attempt.error} />
    </form>
  );
}
