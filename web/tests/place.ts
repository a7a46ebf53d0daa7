/** A server of its own for a suite, with the sample library, and a browser that looks at it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env["ATELIER_BINARY"] ?? join(ROOT, "target/debug/atelier");
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** A machine that is busy with something else starts slowly. */
const STARTS_WITHIN = 60_000;

export interface Place {
  url: string;
  browser: Browser;
  page: (size?: { width: number; height: number }, dark?: boolean) => Promise<Page>;
  /** Asks the API as whoever is at this machine. */
  ask: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  restart: () => Promise<void>;
  end: () => Promise<void>;
}

/** Starts it. `library` says whether it has the samples, `provider` with what flags a provider of its own is started: one
 * that asks for money, and outlives the server's jobs. */
export async function place({ library, provider }: { library: boolean; provider?: string[] }): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "atelier-web-"));
  const data = join(folder, "data");
  if (library) {
    const run = spawnSync(BINARY, ["library", "samples", "--data-dir", data]);
    if (run.status !== 0) throw new Error(run.stderr.toString());
  }
  const paid = provider && (await started(["sandbox", "--addr", "127.0.0.1:0", ...provider], join(folder, "paid"), {}));
  const keys = paid && { GOOGLE_GEMINI_BASE_URL: paid.url, GEMINI_API_KEY: "sandbox" };
  const serve = (portFile: string, address: string) =>
    started(["serve", "--no-samples", "--addr", address, "--data-dir", data], portFile, keys ?? {});
  let server = await serve(join(folder, "port-0"), "127.0.0.1:0");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  let starts = 0;
  // Before somebody has a password: after that nobody is let in for being at this machine.
  const session = await signedIn(server.url);
  return {
    url: server.url,
    browser,
    page: async (viewport = { width: 1440, height: 900 }, dark = false) => {
      const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", locale: "en-GB" });
      context.setDefaultTimeout(30_000);
      return await context.newPage();
    },
    ask: async (method, path, body) => {
      const head = { Origin: server.url, "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
      const answer = await fetch(`${server.url}/api/v1${path}`, {
        method,
        headers: { ...head, Cookie: session },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? undefined : await answer.json();
    },
    restart: async () => {
      await stop(server.process);
      starts += 1;
      server = await serve(join(folder, `port-${starts}`), new URL(server.url).host);
    },
    end: async () => {
      await browser.close();
      await stop(server.process);
      if (paid) await stop(paid.process);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The cookie of a session, as this machine gets one while it has no users. */
async function signedIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/sessions/here`, { method: "POST", headers: { Origin: url } });
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0])[0] ?? "";
}

interface Started {
  url: string;
  process: ChildProcess;
}

/** A server of the program's, once it can be asked. */
async function started(command: string[], portFile: string, keys: Record<string, string>): Promise<Started> {
  const environment = { ...process.env, GEMINI_API_KEY: "", GOOGLE_API_KEY: "", OPENAI_API_KEY: "", ...keys };
  const server = spawn(BINARY, [...command, "--port-file", portFile], { env: environment, stdio: "ignore" });
  for (let waited = 0; waited < STARTS_WITHIN; waited += 50) {
    if (existsSync(portFile)) {
      const at = readFileSync(portFile, "utf8").trim();
      if (at !== "") return { url: at.startsWith("http") ? at : `http://${at}`, process: server };
    }
    if (server.exitCode !== null) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  server.kill("SIGKILL");
  throw new Error("the server did not start");
}

function stop(server: ChildProcess): Promise<void> {
  return new Promise((ended) => {
    if (server.exitCode !== null) return ended();
    server.once("exit", () => ended());
    server.kill("SIGTERM");
    return undefined;
  });
}
