/**
 * Decisions on their way to the server. They hold here at once, are kept in the browser until they are answered, and are
 * sent together: whoever reviews never waits, and loses nothing by going offline or by closing the page.
 */
import type { Draft } from "../../api/api";
import type { Schemas } from "../../api/client";

export type Status = "pending" | "approved" | "rejected" | "posted" | "skipped";

/** What is to be true of a draft from now on, if it is still the version that was seen. */
export interface Wanted {
  id: string;
  version: string;
  status?: Status;
  text?: string;
  reason?: string;
}

export interface QueueOptions {
  send: (wanted: readonly Wanted[]) => Promise<readonly Schemas["DecidedView"][]>;
  /** Where what is not answered yet is kept. */
  kept: { read: () => string | null; write: (text: string) => void };
  /** The draft as the server has it now. */
  onDecided: (draft: Draft) => void;
  /** Somebody else has decided otherwise, or it can't be: nothing was overwritten. */
  onRefused: (wanted: Wanted, draft: Draft | undefined, why: string) => void;
}

/** So many are sent at a time. */
const TOGETHER = 100;

export class DecisionQueue {
  private waiting: Wanted[];
  private sending: Wanted[] = [];
  private flushing: Promise<void> | undefined;
  /** What may have been done without an answer that says so. */
  private readonly unsure = new Map<string, Wanted>();
  /** What this page has ever decided: what else is kept is another page's. */
  private readonly own = new Set<string>();
  private overlaid: ReadonlyMap<string, Wanted> = new Map();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: QueueOptions) {
    this.waiting = read(options.kept.read());
    for (const one of this.waiting) this.own.add(one.id);
    this.changed();
  }

  /** What is decided and not answered yet, by draft: it lies over what the server says. */
  readonly overlay = (): ReadonlyMap<string, Wanted> => this.overlaid;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  add(decisions: readonly Wanted[]): void {
    for (const wanted of decisions) {
      this.own.add(wanted.id);
      const known = this.waiting.find((one) => one.id === wanted.id);
      // What was seen stays what was seen: the version is the first decision's.
      if (known) {
        // A reason belongs to its decision.
        if (wanted.status !== undefined) delete known.reason;
        Object.assign(known, { ...wanted, version: known.version });
      } else this.waiting.push({ ...wanted });
    }
    this.changed();
  }

  /** Sends what waits, until nothing does. What could not be sent waits on, and the reason is thrown. */
  flush(): Promise<void> {
    this.flushing ??= this.sendAll().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      this.sending = this.waiting.splice(0, TOGETHER);
      try {
        const answers = await this.options.send(this.sending);
        const sent = this.sending;
        this.sending = [];
        for (const [at, wanted] of sent.entries()) this.settle(wanted, answers[at]);
      } catch (reason) {
        for (const one of this.sending) this.unsure.set(one.id, { ...one });
        const later = this.waiting;
        this.waiting = this.sending;
        this.sending = [];
        this.add(later);
        throw reason;
      }
      this.changed();
    }
  }

  private settle(wanted: Wanted, answer: Schemas["DecidedView"] | undefined): void {
    const draft = answer?.draft ?? undefined;
    // An answer that was lost on its way: what was asked for is done, and asking again finds it so.
    const before = this.unsure.get(wanted.id);
    this.unsure.delete(wanted.id);
    if (draft && !answer?.decided && before && !isAs(draft, wanted) && isAs(draft, before)) {
      // One's own decision stands in the way: what was decided after it is decided upon that.
      this.waiting = [{ ...wanted, version: draft.version }, ...this.waiting.filter((one) => one.id !== wanted.id)];
      return;
    }
    if (draft && (answer?.decided || isAs(draft, wanted))) {
      const next = this.waiting.find((one) => one.id === wanted.id);
      if (next) next.version = draft.version;
      this.options.onDecided(draft);
      return;
    }
    this.waiting = this.waiting.filter((one) => one.id !== wanted.id);
    this.options.onRefused(wanted, draft, answer?.problem?.message ?? "");
  }

  private changed(): void {
    const all = [...this.sending, ...this.waiting];
    const overlaid = new Map<string, Wanted>();
    for (const one of all) overlaid.set(one.id, { ...overlaid.get(one.id), ...one });
    this.overlaid = overlaid;
    const others = read(this.options.kept.read()).filter((one) => !this.own.has(one.id));
    const kept = [...others, ...all];
    this.options.kept.write(kept.length > 0 ? JSON.stringify(kept) : "");
    for (const listener of this.listeners) listener();
  }
}

/** Whether a draft is as somebody wanted it. */
function isAs(draft: Draft, wanted: Wanted): boolean {
  const hasStatus = wanted.status === undefined || draft.status === wanted.status;
  return hasStatus && (wanted.text === undefined || draft.text === wanted.text.trim());
}

function read(text: string | null): Wanted[] {
  try {
    const kept: unknown = JSON.parse(text || "[]");
    return Array.isArray(kept) ? (kept as Wanted[]) : [];
  } catch {
    return [];
  }
}
