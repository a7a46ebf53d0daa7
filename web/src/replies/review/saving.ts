/**
 * Decisions of this browser on their way to the server, project by project. They belong to no page: whoever leaves the
 * review, or closes it offline, comes back to them, and they are sent as soon as the server can be reached.
 */
import { api, type Draft, data, queryClient } from "../../api/api";
import { Problem, type Schemas } from "../../api/client";
import { draftChanged } from "../../api/events";
import { remember, remembered } from "../../shared/settings";
import { APPROVED } from "./posts";
import { DecisionQueue, type Wanted } from "./queue";

/** Somebody else's decision that stood in the way of one's own. */
export interface Refusal {
  wanted: Wanted;
  draft: Draft | undefined;
  why: string;
}

/** Where the decisions of a project are kept. */
const KEPT = "decisions.";
/** What could not be sent is tried again so often. */
const AGAIN = 3000;

export const keyOf = (project: string) => ["drafts", project] as const;

export class Saving {
  readonly queue: DecisionQueue;
  /** The versions that one's own decisions have made: an undo takes back these, and nobody else's. */
  readonly mine = new Map<string, string>();
  private state: { refusals: readonly Refusal[]; isFailing: boolean } = { refusals: [], isFailing: false };
  private timer = 0;
  private readonly listeners = new Set<() => void>();

  constructor(project: string) {
    this.queue = new DecisionQueue({
      send,
      kept: {
        read: () => remembered(KEPT + project),
        write: (text) => remember(KEPT + project, text),
      },
      onDecided: (draft) => {
        this.mine.set(draft.id, draft.version);
        draftChanged(queryClient, draft);
        this.resolveTwins(project, draft);
      },
      onRefused: (wanted, draft, why) => {
        if (draft) draftChanged(queryClient, draft);
        this.refuse({ wanted, draft, why });
      },
    });
    this.queue.subscribe(() => this.flush());
    addEventListener("online", () => this.flush());
    this.flush();
  }

  readonly current = () => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dismiss(): void {
    this.set({ refusals: [] });
  }

  private refuse(refusal: Refusal): void {
    this.set({ refusals: [...this.state.refusals, refusal] });
  }

  /** Versions are those of single drafts: another one of the same post may have been approved by somebody else meanwhile. */
  private resolveTwins(project: string, draft: Draft): void {
    if (draft.status !== "approved") return;
    const twin = queryClient
      .getQueryData<Draft[]>(keyOf(project))
      ?.find(
        (one) =>
          one.post === draft.post &&
          one.id !== draft.id &&
          APPROVED.includes(one.status) &&
          !this.queue.overlay().has(one.id),
      );
    if (!twin) return;
    const wanted: Wanted = { id: draft.id, version: draft.version, status: "pending" };
    this.queue.add([wanted]);
    this.refuse({ wanted, draft: twin, why: twin.text });
  }

  private flush(): void {
    if (this.queue.overlay().size === 0) return;
    this.queue.flush().then(
      () => this.set({ isFailing: false }),
      () => {
        this.set({ isFailing: true });
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => this.flush(), AGAIN);
      },
    );
  }

  private set(change: Partial<typeof this.state>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

const savings = new Map<string, Saving>();

export function savingOf(project: string): Saving {
  let saving = savings.get(project);
  if (!saving) {
    saving = new Saving(project);
    savings.set(project, saving);
  }
  return saving;
}

/** Sends decisions. What repetition can't mend is no reason to keep the others waiting. */
async function send(decisions: readonly Wanted[]): Promise<readonly Schemas["DecidedView"][]> {
  try {
    const answer = await data(api.POST("/api/v1/drafts/decisions", { body: { decisions: [...decisions] } }));
    return answer.decisions;
  } catch (problem) {
    const status = problem instanceof Problem ? problem.told.status : 0;
    // The page asks for another sign-in, and what is decided goes on after it.
    if (status === 401) void queryClient.invalidateQueries({ queryKey: ["me"] });
    if (status < 400 || status >= 500 || [401, 408, 429].includes(status)) throw problem;
    if (status !== 403 && decisions.length > 1) return (await Promise.all(decisions.map((one) => send([one])))).flat();
    const why = { code: "refused", message: problem instanceof Problem ? problem.message : "" };
    return decisions.map(({ id }) => ({ id, decided: false, problem: why }));
  }
}
