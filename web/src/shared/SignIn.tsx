import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef } from "react";

import { api, data, queryClient } from "../api/api";
import { useWords } from "../words";
import { ProblemText } from "./ProblemText";
import styles from "./SignIn.module.css";

/** Signing in, on top of the page: what was being done goes on afterwards. */
export function SignIn({ again }: { again: boolean }) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const ways = useQuery({ queryKey: ["sign-in"], queryFn: () => data(api.GET("/api/v1/sign-in")) });
  const signIn = useMutation({
    mutationFn: (body: { name: string; password: string }) => data(api.POST("/api/v1/sessions", { body })),
    onSuccess: async () => {
      queryClient.setQueryData(["me"], await data(api.GET("/api/v1/me")));
      await queryClient.invalidateQueries();
    },
  });
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ name: String(form.get("name")), password: String(form.get("password")) });
  };
  return (
    <dialog
      ref={dialog}
      className={styles["dialog"]}
      aria-labelledby="sign-in-title"
      onCancel={(event) => event.preventDefault()}
    >
      <form onSubmit={submit} className={styles["form"]}>
        <h1 id="sign-in-title">{words.signIn.title}</h1>
        {again && <p className="soft">{words.signIn.again}</p>}
        <label>
          <span className="label">{words.signIn.name}</span>
          <input className="field" name="name" autoComplete="username" required />
        </label>
        <label>
          <span className="label">{words.signIn.password}</span>
          <input className="field" name="password" type="password" autoComplete="current-password" required />
        </label>
        <ProblemText error={signIn.error} />
        <button type="submit" className="button" disabled={signIn.isPending}>
          {words.signIn.act}
        </button>
        {ways.data?.providers.map((provider) => (
          <a
            key={provider.name}
            className="button"
            href={`/api/v1/sign-in/oidc/${provider.name}?return=${encodeURIComponent(location.pathname + location.search)}`}
          >
            {words.signIn.by(provider.title)}
          </a>
        ))}
      </form>
    </dialog>
  );
}
