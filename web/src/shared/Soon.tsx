import styles from "./Soon.module.css";

/** A place whose page is not here yet: what does the same from the command line. */
export function Soon(props: { title: string; text: string; commands: readonly string[] }) {
  return (
    <main className={styles["soon"]}>
      <h1>{props.title}</h1>
      <p className="soft">{props.text}</p>
      <ul>
        {props.commands.map((command) => (
          <li key={command}>
            <code>{command}</code>
          </li>
        ))}
      </ul>
    </main>
  );
}
