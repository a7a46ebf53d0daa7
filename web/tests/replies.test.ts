/** Replies, as a social manager works through them: by keyboard, offline, beside another one. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { violations } from "./axe";
import { FAR_BACK, funnelOf, withDrafts } from "./drafted";
import { type Place, place } from "./place";

const SAMPLES = resolve(import.meta.dirname, "../../assets/samples");
let here: Place;
beforeAll(async () => {
  here = await place({ library: false });
}, 120_000);
afterAll(async () => {
  await here?.end();
});

const funnel = (project: string) => funnelOf(here, project);
const drafted = (project: string) => withDrafts(here, project);

/** The page of a review, once its posts are there. */
async function reviewing(page: Page, project: string): Promise<void> {
  await page.goto(`${here.url}/review/${project}?status=open`);
  await page.getByRole("listbox", { name: "Drafts" }).waitFor();
}

const decided = (page: Page, n: number) => page.getByRole("heading", { name: new RegExp(`^${n} of \\d+$`) }).waitFor();

describe("A project", () => {
  test("goes from a file of posts over drafts and a review by keyboard alone to a CSV, and takes that back", async () => {
    const page = await here.page();
    await page.goto(`${here.url}/replies`);
    await page.getByRole("textbox", { name: "Name" }).fill("bikes");
    const finder = page.getByRole("textbox", { name: /finder\.yml/ });
    await finder.fill(readFileSync(resolve(SAMPLES, "finder.yml"), "utf8"));
    await page.getByRole("button", { name: "Add it" }).click();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("region", { name: "Import" }).getByText("Choose a file").click();
    await (await chooser).setFiles(resolve(SAMPLES, "posts.csv"));
    await page.getByText("192 read: 192 new").waitFor();
    expect(await violations(page)).toEqual([]);

    await page.getByLabel("Hours back").fill(String(FAR_BACK));
    await page.getByRole("button", { name: /^Draft for \d+ posts/ }).waitFor();
    await page.getByRole("region", { name: "Draft" }).getByLabel("Model").selectOption({ index: 1 });
    await page.getByText(/free · about/).waitFor();
    await page.getByRole("button", { name: /^Draft for \d+ posts/ }).click();
    await page.getByText("Drafts are on their way").waitFor();
    await page.getByText(/^[1-9]\d* posts? waits? for you/).waitFor();
    for (;;) {
      const { jobs } = await here.ask<{ jobs: { state: string }[] }>("GET", "/jobs");
      if (jobs.length > 0 && jobs.every((job) => job.state === "done")) break;
      await new Promise((next) => setTimeout(next, 100));
    }

    await reviewing(page, "bikes");
    const all = (await funnel("bikes")).to_review;
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("2");
    await page.getByRole("option", { selected: true }).getByText("2", { exact: true }).waitFor();
    await page.keyboard.press("Enter");
    await decided(page, 1);
    await page.keyboard.press("x");
    await page.keyboard.press("1");
    await decided(page, 2);
    await page.keyboard.press("z");
    await decided(page, 1);
    await page.keyboard.press("e");
    await page.getByRole("textbox", { name: "Edit" }).fill("I'd check the seat post first.");
    await page.keyboard.press("Control+Enter");
    await decided(page, 2);
    for (let n = 3; n <= all; n++) {
      await page.keyboard.press("Enter");
      await decided(page, n);
    }
    await expect.poll(async () => (await funnel("bikes")).approved).toBe(all);

    await page.goto(`${here.url}/replies/bikes`);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export as CSV" }).click();
    const file = await (await download).path();
    const written = readFileSync(file, "utf8");
    expect(written).toContain("I'd check the seat post first.");
    const back = page.waitForEvent("filechooser");
    await page.getByRole("region", { name: "Export" }).getByText("Bring a reviewed file back").click();
    await (await back).setFiles({ name: "back.csv", mimeType: "text/csv", buffer: readFileSync(file) });
    await page.getByText("is taken over").waitFor();
    await page.context().close();
  });

  test("has its finder.yml as a form beside the file: each changes the other, comments stay, and thresholds say what they let through", async () => {
    const page = await here.page();
    await drafted("form");
    const { finder } = await here.ask<{ finder: string }>("GET", "/projects/form");
    await page.goto(`${here.url}/replies/form`);
    const file = page.getByRole("textbox", { name: "finder.yml" });
    await page.getByText(/^Of \d+ scored posts: /).waitFor();
    await page.getByRole("slider", { name: "Green from" }).fill("0.99");
    await page.getByRole("slider", { name: "Yellow from" }).fill("0");
    await page.getByText(/^Of (\d+) scored posts: 0 green, \1 yellow, 0 red\.$/).waitFor();
    const topic = page.getByRole("group", { name: "diagnosis" });
    await topic.getByLabel("What it is about").fill("What a creak says");
    await page.getByLabel("Words that leave a post out").fill("casino\n");
    await page.getByLabel("Words that leave a post out").press("End");
    await page.keyboard.type("lottery");
    const text = await file.inputValue();
    expect(text).toContain("green_min: 0.99");
    expect(text).toContain("description: What a creak says");
    expect(text).toMatch(/blacklist_keywords:\n\s+- casino\n\s+- lottery\n/);
    expect(text.match(/^# .*$/m)?.[0]).toBe(finder.match(/^# .*$/m)?.[0]);
    await file.fill(text.replace("What a creak says", "What a click says"));
    expect(await topic.getByLabel("What it is about").inputValue()).toBe("What a click says");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("region", { name: "finder.yml" }).getByRole("button", { name: "Save" }).click();
    await expect
      .poll(async () => (await here.ask<{ finder: string }>("GET", "/projects/form")).finder)
      .toContain("What a click says");
    await page
      .getByRole("list", { name: "How far its posts have come" })
      .getByRole("link", { name: /^imported/ })
      .click();
    await page
      .getByText(/^Left out: /)
      .first()
      .waitFor();
    await page.context().close();
  });
});

describe("A review", () => {
  test("goes on offline, keeps every decision over a reload, and saves each once on return", async () => {
    const all = await drafted("offline");
    const page = await here.page();
    await reviewing(page, "offline");
    await page.context().setOffline(true);
    for (let n = 1; n <= all; n++) {
      await page.keyboard.press("Enter");
      await decided(page, n);
    }
    await page.getByText(`${all} not saved yet`).waitFor();
    expect((await funnel("offline")).approved).toBe(0);
    await page.context().setOffline(false);
    await expect.poll(async () => (await funnel("offline")).approved, { timeout: 20_000 }).toBe(all);
    await page.getByText("not saved yet").waitFor({ state: "detached" });
    await page.context().close();
  });

  test("overwrites nobody else's decision, and says what that is", async () => {
    await drafted("shared");
    const [first, second] = [await here.page(), await here.page()];
    // The second one hears of nothing until it decides.
    await second.route("**/api/v1/events", (route) => route.abort());
    await reviewing(second, "shared");
    await reviewing(first, "shared");
    await first.keyboard.press("Enter");
    await expect.poll(async () => (await funnel("shared")).approved).toBe(1);
    await second.keyboard.press("x");
    await second.keyboard.press("2");
    await second.getByRole("alert").getByText("it is approved now").waitFor();
    expect((await funnel("shared")).approved).toBe(1);
    await first.context().close();
    await second.context().close();
  });

  test("drafts a post again with a hint, and shows what comes first", async () => {
    await drafted("again");
    const page = await here.page();
    await reviewing(page, "again");
    const before = await page.getByRole("option").count();
    await page.keyboard.press("g");
    await page.getByRole("dialog", { name: "Draft again" }).getByRole("textbox").fill("shorter, and without the joke");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("option").count(), { timeout: 20_000 }).toBe(2 * before);
    await page.context().close();
  });
});
