/**
 * The client of the HTTP API. Paths, bodies and answers are those of `docs/openapi.json`, from which `schema.ts` is
 * written (`npm run api`): what the server does not offer does not compile.
 */
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What went wrong, as the server tells it: RFC 9457, with a stable code and what to do. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(readonly told: Schemas["Problem"]) {
    super(told.detail);
  }

  /** Stable, from the one table of errors. */
  get code(): string {
    return this.told.code;
  }
}

/** An answer that is no problem the server describes: from a proxy, or from nobody. */
const unknown = (status: number, statusText: string): Schemas["Problem"] => ({
  type: "about:blank",
  title: statusText,
  status,
  detail: statusText || `the answer is ${status}`,
  code: "unknown",
  hint: null,
  request_id: "",
  errors: [],
});

/** Makes every answer that is not a good one a {@link Problem}. */
const throwing: Middleware = {
  async onResponse({ response }) {
    if (response.ok || response.status === 304) return undefined;
    const told: unknown = await response.json().catch(() => null);
    throw new Problem(isProblem(told) ? told : unknown(response.status, response.statusText));
  },
};

function isProblem(told: unknown): told is Schemas["Problem"] {
  return typeof told === "object" && told !== null && "code" in told && "detail" in told;
}

/** A client for the server at `baseUrl`, by default the one that this page came from. */
export function apiClient(baseUrl = "", fetch?: (request: Request) => Promise<Response>) {
  const client = createClient<paths>(fetch ? { baseUrl, fetch } : { baseUrl });
  client.use(throwing);
  return client;
}

export type ApiClient = ReturnType<typeof apiClient>;
