/** Pictures of every page, as they are: for whoever looks at them as a designer would, and for the README. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import { withDrafts } from "./drafted";
import { place } from "./place";

/** `make pictures` writes them into the documentation; otherwise it is only seen that they can be taken. */
const FOLDER = process.env["ATELIER_PICTURES"] ?? resolve(import.meta.dirname, "../node_modules/.pictures");
const PHONE = { width: 360, height: 740 };

/** Waits until every picture that is on the screen is drawn. */
async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const seen = [...document.images].filter((image) => image.getBoundingClientRect().top < innerHeight);
    return seen.length > 0 && seen.every((image) => image.complete);
  });
}

test("every page can be looked at, light and dark, wide and narrow", async () => {
  mkdirSync(FOLDER, { recursive: true });
  const here = await place({ library: true });
  const take = (page: Page, name: string) => page.screenshot({ path: join(FOLDER, `${name}.png`) });
  const opened = async (page: Page, path = "/") => {
    await page.goto(here.url + path);
    await page.waitForLoadState("load");
    await page.getByRole("navigation").waitFor();
  };
  const first = async (page: Page) => {
    await page.getByRole("gridcell").first().waitFor();
    await drawn(page);
  };

  const page = await here.page();
  await opened(page);
  await first(page);
  await page.getByRole("textbox", { name: "Prompt" }).fill("A lighthouse keeper reading by the window, evening");
  await page.getByRole("button", { name: "Add side B" }).click();
  await page.getByRole("group", { name: "Tone" }).getByRole("img").waitFor();
  await page.getByText(/free · about/).waitFor();
  await drawn(page);
  await take(page, "studio-light");
  await page.getByRole("button", { name: /^Camera/ }).click();
  await page.getByRole("radio", { name: "Golden hour" }).check();
  await page.getByRole("radio", { name: "35 mm", exact: true }).check();
  await drawn(page);
  await take(page, "camera-light");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Make 4 + 4" }).click();
  const card = page.getByRole("article").first();
  await card.getByRole("button", { name: "B 4, done" }).waitFor();
  await drawn(page);
  await take(page, "made-light");
  await card.getByRole("button", { name: "A 1, done" }).click();
  await page.getByRole("dialog", { name: "Details" }).getByText("Prompt").first().waitFor();
  await take(page, "details-light");
  await page.keyboard.press("Escape");
  await card.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("dialog", { name: "Compare" }).getByRole("radiogroup").waitFor();
  await drawn(page);
  await take(page, "compare");
  await page.keyboard.press("Escape");
  await opened(page, "/?edit=image:lighthouse-at-dusk-from-below");
  await page.getByRole("dialog", { name: "Edit" }).getByRole("application", { name: "Mask" }).waitFor();
  await page.getByRole("dialog", { name: "Edit" }).getByRole("textbox").fill("a boat with a white sail");
  const mask = await page.getByRole("application", { name: "Mask" }).boundingBox();
  if (mask) {
    await page.mouse.move(mask.x + mask.width * 0.2, mask.y + mask.height * 0.8);
    await page.mouse.down();
    await page.mouse.move(mask.x + mask.width * 0.45, mask.y + mask.height * 0.8, { steps: 4 });
    await page.mouse.up();
  }
  await take(page, "edit");
  await page.keyboard.press("Escape");
  await opened(page, "/?q=a%20submarine%20in%20a%20hangar");
  await page.getByText("Nothing matches among 170").waitFor();
  await take(page, "nothing-light");
  await page.goto(`${here.url}/?color=%23b3261e`);
  await page.getByRole("button", { name: "Why" }).click();
  await first(page);
  await take(page, "why-light");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "What to do" }).waitFor();
  await take(page, "palette-light");
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "What to do" }).waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await take(page, "keys-light");
  await page.keyboard.press("Escape");

  await withDrafts(here, "bikes");
  await opened(page, "/replies/bikes");
  await page.getByText(/posts wait for you/).waitFor();
  await take(page, "project-light");
  await opened(page, "/review/bikes?status=open");
  await page.getByRole("listbox", { name: "Drafts" }).waitFor();
  for (const key of ["Enter", "Enter", "x", "1", "2"]) await page.keyboard.press(key);
  await page.getByRole("heading", { name: /^3 of/ }).waitFor();
  await take(page, "review-light");
  for (const path of ["replies", "work", "settings"]) {
    await opened(page, `/${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle").catch(() => undefined);
    await take(page, `${path}-light`);
  }

  const dark = await here.page(undefined, true);
  await opened(dark);
  await first(dark);
  await take(dark, "studio-dark");
  await opened(dark, "/?in=made");
  await dark.getByRole("article").first().waitFor();
  await drawn(dark);
  await take(dark, "made-dark");

  await opened(dark, "/review/bikes?status=open");
  await dark.getByRole("listbox", { name: "Drafts" }).waitFor();
  await take(dark, "review-dark");
  await opened(dark, "/work");
  await dark.getByRole("list", { name: "Jobs" }).getByRole("listitem").first().waitFor();
  await take(dark, "work-dark");

  const phone = await here.page(PHONE);
  await opened(phone);
  await first(phone);
  await take(phone, "studio-phone");
  await opened(phone, "/?in=made");
  await phone.getByRole("article").first().waitFor();
  await drawn(phone);
  await take(phone, "made-phone");
  await phone.getByRole("button", { name: /Make$/ }).click();
  await phone.getByRole("textbox", { name: "Prompt" }).waitFor();
  await take(phone, "composer-phone");
  for (const [name, path] of [
    ["project-phone", "/replies/bikes"],
    ["review-phone", "/review/bikes?status=open"],
    ["work-phone", "/work"],
    ["settings-phone", "/settings"],
  ] as const) {
    await opened(phone, path);
    await phone.waitForLoadState("networkidle").catch(() => undefined);
    await take(phone, name);
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, `${name}: nothing stands beyond the edge of a phone`).toBeLessThanOrEqual(PHONE.width);
  }
  const width = await phone.evaluate(() => document.documentElement.scrollWidth);
  expect(width, "nothing stands beyond the edge of a phone").toBeLessThanOrEqual(PHONE.width);
  await here.end();
});
