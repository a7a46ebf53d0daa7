import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { api, data, queryClient } from "../api/api";
import { Problem } from "../api/client";
import { follow } from "../api/events";
import { useWords } from "../words";
import { Account } from "./Account";
import { keyOf, useKeys } from "./keys";
import { Meter } from "./Meter";
import styles from "./Shell.module.css";
import { SignIn } from "./SignIn";
import { ToastsProvider } from "./Toasts";

const Palette = lazy(() => import("./Palette"));
const KeysHelp = lazy(() => import("./KeysHelp"));

/** Who is here; signs in at once where this machine has no users yet. */
export function useMe() {
  return useQuery({
    queryKey: ["me"],
    queryFn: async () => {
      try {
        return await data(api.GET("/api/v1/me"));
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.told.status !== 401) throw problem;
        const ways = await data(api.GET("/api/v1/sign-in"));
        if (!ways.here) return null;
        await data(api.POST("/api/v1/sessions/here"));
        return await data(api.GET("/api/v1/me"));
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The bar and what is below it. Whoever is not signed in signs in on top of the page, which stays what it is. */
export function Shell() {
  const words = useWords();
  const me = useMe();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isWelcome = path === "/welcome";
  const [isLost, setLost] = useState(false);
  const isOffline = useOffline();
  const user = me.data?.user.id;

  useEffect(() => {
    if (user === undefined) return;
    // Decisions that an earlier page could not save.
    const kept = Object.keys(localStorage).filter((key) => key.startsWith("atelier.decisions.") && localStorage[key]);
    if (kept.length === 0) return;
    void import("../replies/review/saving").then(({ savingOf }) => {
      for (const key of kept) savingOf(key.slice("atelier.decisions.".length));
    });
  }, [user]);
  useEffect(() => (user === undefined ? undefined : follow(queryClient, setLost)), [user]);

  const wasHere = me.data !== undefined && me.data !== null;
  const sessionOver = useSessionOver(wasHere);
  if (isWelcome) return <Outlet />;
  return (
    <ToastsProvider>
      <div className={styles["shell"]}>
        <header className={styles["bar"]}>
          <nav aria-label="Atelier" className={styles["places"]}>
            <span className={styles["name"]}>Atelier</span>
            <Link to="/" className={styles["place"]} activeOptions={{ exact: true, includeSearch: false }}>
              {words.places.studio}
            </Link>
            <Link to="/replies" className={`${styles["place"]} ${path.startsWith("/review") ? "active" : ""}`}>
              {words.places.replies}
            </Link>
            <Link to="/work" className={styles["place"]}>
              {words.places.work}
            </Link>
          </nav>
          {wasHere && <Meter />}
          {me.data && <Account user={me.data.user} />}
        </header>
        {(isOffline || isLost) && (
          <p role="status" className={styles["offline"]}>
            {isOffline ? words.offline : words.serverGone}
          </p>
        )}
        <div className={styles["page"]}>{(wasHere || sessionOver) && <Outlet />}</div>
        {me.isError && !isOffline && (
          <p role="alert" className={styles["offline"]}>
            {words.serverGone}{" "}
            <button type="button" className="quiet" onClick={() => void me.refetch()}>
              {words.retry}
            </button>
          </p>
        )}
        {wasHere && <Overlays />}
        {(me.data === null || sessionOver) && <SignIn again={sessionOver} />}
      </div>
    </ToastsProvider>
  );
}

/** After a G the next key goes to a place, if it comes soon. */
const SOON = 1200;

/** What opens from everywhere: the palette, the keys; and the places by two keys. */
function Overlays() {
  const navigate = useNavigate();
  const [open, setOpen] = useState<"palette" | "keys" | null>(null);
  const asked = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keyOf(event) !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      setOpen("palette");
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const to = (place: "/" | "/replies" | "/work") => {
    if (Date.now() - asked.current > SOON) return false;
    asked.current = 0;
    void navigate({ to: place });
    return true;
  };
  useKeys(
    {
      g: () => {
        asked.current = Date.now();
        return false;
      },
      s: () => to("/"),
      r: () => to("/replies"),
      w: () => to("/work"),
      "?": () => setOpen("keys"),
    },
    undefined,
    true,
  );
  return (
    <Suspense>
      {open === "palette" && <Palette onClose={() => setOpen(null)} onKeys={() => setOpen("keys")} />}
      {open === "keys" && <KeysHelp onClose={() => setOpen(null)} />}
    </Suspense>
  );
}

function useOffline(): boolean {
  const [isOffline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const look = () => setOffline(!navigator.onLine);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  return isOffline;
}

/** Whether an answer has said that the session is over, since somebody was here. */
function useSessionOver(wasHere: boolean): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    if (!wasHere) return undefined;
    const queries = queryClient.getQueryCache().subscribe((event) => {
      const error = event.query.state.error;
      if (error instanceof Problem && error.told.status === 401) setOver(true);
      if (event.query.queryKey[0] === "me" && event.query.state.status === "success" && event.type === "updated") {
        setOver(event.query.state.data === null);
      }
    });
    const acts = queryClient.getMutationCache().subscribe((event) => {
      const error = event.mutation?.state.error;
      if (error instanceof Problem && error.told.status === 401) setOver(true);
    });
    return () => {
      queries();
      acts();
    };
  }, [wasHere]);
  return isOver;
}
