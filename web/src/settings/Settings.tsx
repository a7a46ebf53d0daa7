import { useMe } from "../shared/Shell";
import { useWords } from "../words";
import { Appearance } from "./Appearance";
import { Credentials } from "./Credentials";
import { People } from "./People";
import { Person } from "./Person";
import { Providers } from "./Providers";
import styles from "./Settings.module.css";
import { Setup } from "./Setup";

/** What one sets for oneself, and what an administrator sets for all. */
export function Settings() {
  const words = useWords();
  const { data: me } = useMe();
  if (!me) return null;
  const isAdmin = me.user.role === "admin" && me.scopes.includes("admin");
  return (
    <main className={styles["settings"]}>
      <h1>{words.places.settings}</h1>
      <Person me={me} />
      <Appearance />
      <Credentials me={me} />
      {isAdmin && <People />}
      {isAdmin && <Providers />}
      {isAdmin && <Setup />}
    </main>
  );
}
