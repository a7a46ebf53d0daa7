import { useQuery } from "@tanstack/react-query";

import { api, data } from "../api/api";
import { ProblemText } from "../shared/ProblemText";
import { useWords } from "../words";
import styles from "./Settings.module.css";

/** While vectors are being made, how many are left is asked again after so long. */
const LOOK_AGAIN = 2000;

/** What the library is searched by, and who lets people in: both stand in the configuration. */
export function Setup() {
  const words = useWords();
  const { data: setup, error } = useQuery({
    queryKey: ["setup"],
    queryFn: () => data(api.GET("/api/v1/setup")),
    refetchInterval: (query) => ((query.state.data?.library.missing ?? 0) > 0 ? LOOK_AGAIN : false),
  });
  const library = setup?.library;
  return (
    <>
      <section aria-labelledby="library" className={styles["section"]}>
        <h2 id="library">{words.grid.library}</h2>
        <ProblemText error={error} />
        {library && (
          <dl className={styles["facts"]}>
            <dt>{words.setup.text}</dt>
            <dd>{library.text ?? words.setup.none}</dd>
            <dt>{words.setup.look}</dt>
            <dd>{library.look ?? words.setup.none}</dd>
            <dt>{words.setup.compared}</dt>
            <dd>
              <progress
                aria-label={words.setup.compared}
                max={Math.max(1, library.images)}
                value={Math.max(0, library.images - library.missing)}
              />{" "}
              {library.missing === 0
                ? words.setup.all(library.images)
                : words.setup.left(library.missing, library.images, library.underway)}
            </dd>
          </dl>
        )}
        <p className="soft small">{words.setup.libraryText}</p>
      </section>
      <section aria-labelledby="sign-in" className={styles["section"]}>
        <h2 id="sign-in">{words.setup.signIn}</h2>
        {setup?.sign_in.length === 0 && <p className="soft">{words.setup.passwordsOnly}</p>}
        {setup?.sign_in.map((provider) => (
          <dl key={provider.name} className={styles["facts"]} aria-label={provider.title}>
            <dt>{provider.title}</dt>
            <dd>{provider.issuer}</dd>
            <dt>{words.setup.mayCome}</dt>
            <dd>
              {provider.allow_all
                ? words.setup.everybody
                : [...provider.allow_addresses, ...provider.allow_domains.map((domain) => `@${domain}`)].join(", ") ||
                  words.setup.nobody}
            </dd>
            <dt>{words.setup.redirect}</dt>
            <dd>
              <code>{provider.redirect ?? words.setup.noAddress}</code>
            </dd>
          </dl>
        ))}
        <p className="soft small">{words.setup.signInText}</p>
      </section>
    </>
  );
}
