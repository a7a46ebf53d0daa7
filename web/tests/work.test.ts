/** Work and settings: what runs, who may come in, what programs may do. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { violations } from "./axe";
import { type Place, place } from "./place";

let here: Place;
beforeAll(async () => {
  here = await place({ library: false });
}, 120_000);
afterAll(async () => {
  await here?.end();
});

test("a file of ten thousand prompts is forecast, run, paused, and goes on after a restart of the server", async () => {
  const page = await here.page();
  await page.goto(`${here.url}/work`);
  const lines = Array.from({ length: 10_000 }, (_, n) => JSON.stringify({ id: `l${n}`, prompt: `Say ${n}` }));
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("region", { name: "Prompts" }).getByText("Choose a file").click();
  const file = { name: "many.jsonl", mimeType: "application/jsonl", buffer: Buffer.from(lines.join("\n")) };
  await (await chooser).setFiles(file);
  await page.getByText("10,000 prompts").waitFor();
  await page.getByRole("region", { name: "Prompts" }).getByLabel("Model").selectOption({ index: 1 });
  await page.getByText(/free · about/).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Run it" }).click();
  const job = page.getByRole("list", { name: "Jobs" }).getByRole("listitem").first();
  await job.getByRole("button", { name: "Pause" }).click();
  await job.getByRole("button", { name: "Resume" }).waitFor();
  const done = Number(await job.getByRole("progressbar").getAttribute("aria-valuenow"));
  expect(done).toBeLessThan(10_000);
  await here.restart();
  await page.reload();
  await job.getByRole("button", { name: "Resume" }).click();
  await job.getByText("10000 of 10000").waitFor({ timeout: 60_000 });
  const download = page.waitForEvent("download");
  await job.getByRole("link", { name: "Download" }).click();
  expect(await (await download).failure()).toBe(null);
  await page.context().close();
});

test("somebody comes in by an invitation, and a token is made, works and is revoked", async () => {
  const page = await here.page();
  await page.goto(`${here.url}/settings`);
  await page.getByRole("form", { name: "Make an invitation" }).getByRole("button").click();
  const link = await page.getByText(/\/welcome#/).textContent();
  const guest = await here.page();
  await guest.goto(link ?? "");
  await guest.getByLabel("Name").fill("mina");
  await guest.getByLabel(/Password/).fill("a quiet harbour at dawn");
  await guest.getByRole("button", { name: "Begin" }).click();
  await guest.getByRole("button", { name: "Account" }).waitFor();

  await guest.goto(`${here.url}/settings`);
  const form = guest.getByRole("form", { name: "New token" });
  await form.getByLabel("What it is for").fill("a script");
  await form.getByRole("button", { name: "New token" }).click();
  const token = await form.getByRole("status").locator("code").textContent();
  const me = () => fetch(`${here.url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  expect((await me()).status).toBe(200);
  expect(await violations(guest)).toEqual([]);
  await guest.getByRole("button", { name: "Revoke a script" }).click();
  await guest.getByRole("button", { name: "Revoke a script" }).waitFor({ state: "detached" });
  expect((await me()).status).toBe(401);

  // What somebody else has made is not there for her; and when her session ends she signs in on top of the page.
  const made = await here.ask<{ images: { id: string }[] }>("POST", "/generations", {
    request: { prompt: "a secret", sides: [{ model: "sandbox:gemini-3.1-flash-image" }] },
  });
  await guest.goto(`${here.url}/?m=${made.images[0]?.id}`);
  await guest.getByRole("dialog", { name: "Details" }).getByRole("alert").waitFor();
  await guest.keyboard.press("Escape");
  await guest.context().clearCookies();
  await guest.getByRole("link", { name: "Work" }).click();
  const again = guest.getByRole("dialog", { name: "Sign in" });
  await again.getByText("Your session has ended").waitFor();
  await again.getByLabel("Name").fill("mina");
  await again.getByLabel("Password").fill("a quiet harbour at dawn");
  await again.getByRole("button", { name: "Sign in" }).click();
  await again.waitFor({ state: "detached" });
  await guest.getByRole("heading", { name: "Now" }).waitFor();
  await guest.context().close();
  await page.context().close();
});
