import { useWords } from "../words";
import { Jobs } from "./Jobs";
import { Limits } from "./Limits";
import { PromptFile } from "./PromptFile";
import { Spend } from "./Spend";
import styles from "./Work.module.css";

/** What runs, what it waits for, and what it cost. */
export function Work() {
  const words = useWords();
  return (
    <main className={styles["page"]}>
      <h1 className="hidden">{words.places.work}</h1>
      <div className={styles["column"]}>
        <Jobs />
        <PromptFile />
      </div>
      <Limits />
      <Spend />
    </main>
  );
}
