/** A provider that asks for money, refuses and limits: what somebody sees of that. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { violations } from "./axe";
import { type Place, place } from "./place";

let here: Place;
beforeAll(async () => {
  here = await place({ library: false, provider: ["--latency", "20ms"] });
}, 180_000);
afterAll(async () => {
  await here?.end();
});

test("an image that is refused says why, and is asked for again alone", async () => {
  const page = await here.page();
  await page.goto(here.url);
  const prompt = "a kite over a beach [[sandbox:refuse:once]]";
  await page.getByRole("textbox", { name: "Prompt" }).fill(prompt);
  await page.getByRole("combobox", { name: "Model" }).first().selectOption("gemini:gemini-3.1-flash-image");
  await page.getByText(/^\$0\.2\d · about/).waitFor();
  await page.getByRole("button", { name: "Make 4" }).click();
  const card = page.getByRole("article", { name: prompt });
  const refused = card.getByRole("group", { name: /refused$/ });
  await refused
    .nth(3)
    .getByText(/refused the prompt/)
    .waitFor();
  expect(await violations(page)).toEqual([]);
  await refused.getByRole("button", { name: "Retry A 2" }).click();
  await card.getByRole("button", { name: "A 2, done" }).waitFor();
  expect(await refused.count()).toBe(3);
  expect(await page.getByRole("article", { name: prompt }).count()).toBe(1);
  await page.context().close();
});

test("a budget that is reached stops a file of prompts, says so, and it goes on with another", async () => {
  const page = await here.page();
  await page.goto(`${here.url}/work`);
  const lines = Array.from({ length: 200 }, (_, n) => JSON.stringify({ id: `l${n}`, prompt: `Say ${n}` }));
  await page.locator("section[aria-label=Prompts] input[type=file]").setInputFiles({
    name: "many.jsonl",
    mimeType: "application/jsonl",
    buffer: Buffer.from(lines.join("\n")),
  });
  const form = page.getByRole("region", { name: "Prompts" });
  await form.getByText("200 prompts").waitFor();
  await form.getByRole("combobox", { name: "Model" }).selectOption("gemini:gemini-3.5-flash-lite");
  await form.getByLabel("Budget").fill("0.002");
  await form.getByRole("button", { name: "Run it" }).click();
  const job = page.getByRole("list", { name: "Jobs" }).getByRole("listitem").first();
  await job.getByText(/the next call could pass the maximum cost/).waitFor();
  await job.getByLabel("Budget").waitFor();
  expect(await violations(page)).toEqual([]);
  await job.getByLabel("Budget").fill("2");
  await job.getByRole("button", { name: "Resume with $2.00" }).click();
  await job.getByText("200 of 200").waitFor();
  const pool = page.getByRole("listitem", { name: /gemini-3\.5-flash-lite$/ });
  await pool.getByRole("button", { name: "Change its limits" }).click();
  await pool.getByRole("textbox").fill("requests=7/10s");
  await pool.getByRole("button", { name: "Save" }).click();
  await pool.getByText(/of 7 · requests=7\/10s/).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.context().close();
});
