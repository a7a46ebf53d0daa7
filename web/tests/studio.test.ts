/** The studio, as somebody uses it: the real server, its sandbox, and a browser. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Place, place } from "./place";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let here: Place;
beforeAll(async () => {
  here = await place({ library: true });
}, 180_000);
afterAll(async () => {
  await here?.end();
});

/** What axe finds wrong on the page as it is. It is evaluated, because the page's policy loads no script from elsewhere. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return await page.evaluate(async () => {
    const axe = (
      globalThis as unknown as {
        axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe;
    const { violations } = await axe.run();
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
}

async function opened(page: Page): Promise<Page> {
  await page.goto(here.url);
  await page.getByRole("grid", { name: "Pictures" }).getByRole("gridcell").first().waitFor();
  return page;
}

describe("The first minute", () => {
  test("takes four clicks: an example, another side, make, compare, and a preference by a key", async () => {
    const page = await opened(await here.page());
    let clicks = 0;
    const click = async (name: string | RegExp) => {
      clicks += 1;
      await page.getByRole("button", { name }).first().click();
    };
    await click(/lighthouse keeper/);
    await page.getByRole("group", { name: "Tone" }).getByRole("img").waitFor();
    await click("Add side B");
    await click("Make 4 + 4");
    const card = page.getByRole("article", { name: /lighthouse keeper/ }).first();
    await card.getByRole("button", { name: "B 4, done" }).waitFor();
    clicks += 1;
    await card.getByRole("button", { name: "Compare" }).click();
    const compare = page.getByRole("dialog", { name: "Compare" });
    await compare.getByRole("radiogroup", { name: "View" }).waitFor();
    await page.keyboard.press("b");
    await compare.getByText("B is preferred").waitFor();
    await page.keyboard.press("2");
    await compare.getByRole("slider").waitFor();
    expect(clicks).toBeLessThanOrEqual(6);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});

describe("Making", () => {
  test("a double click makes one generation, and a click after it makes another", async () => {
    const page = await opened(await here.page());
    await page.getByRole("textbox", { name: "Prompt" }).fill("a double click");
    const make = page.getByRole("button", { name: /^Make / });
    await make.dblclick();
    const cards = page.getByRole("article", { name: "a double click" });
    await cards.first().waitFor();
    await cards.first().getByRole("button", { name: "A 4, done" }).waitFor();
    expect(await cards.count()).toBe(1);
    await page.waitForFunction(() => true, undefined, { polling: 1100 });
    await make.click();
    await cards.nth(1).waitFor();
    expect(await cards.count()).toBe(2);
    await page.context().close();
  });

  test("the Enter that ends a syllable of an input method makes nothing", async () => {
    const page = await opened(await here.page());
    const prompt = page.getByRole("textbox", { name: "Prompt" });
    await prompt.fill("등대");
    const asked: string[] = [];
    page.on("request", (request) => request.method() === "POST" && asked.push(new URL(request.url()).pathname));
    await prompt.evaluate((field) => {
      const composing = { key: "Enter", ctrlKey: true, bubbles: true, isComposing: true };
      field.dispatchEvent(new KeyboardEvent("keydown", composing));
    });
    await page
      .getByText(/free · /)
      .first()
      .waitFor();
    expect(asked.filter((path) => path === "/api/v1/generations")).toEqual([]);
    await page.context().close();
  });

  test("what is composed and what is being made are there after a reload, and after a restart of the server", async () => {
    const page = await opened(await here.page());
    await page.getByRole("textbox", { name: "Prompt" }).fill("a reload in the middle");
    await page.getByRole("button", { name: /^Make / }).click();
    const card = page.getByRole("article", { name: "a reload in the middle" });
    await card.waitFor();
    await page.reload();
    await card.getByRole("button", { name: "A 4, done" }).waitFor();
    expect(await page.getByRole("textbox", { name: "Prompt" }).inputValue()).toBe("a reload in the middle");
    await here.restart();
    await page.getByRole("button", { name: /^Make / }).click();
    await page.getByRole("article", { name: "a reload in the middle" }).nth(1).waitFor();
    await page.context().close();
  });
});

describe("Finding", () => {
  test("words find, nothing matching says so among how many, with what is nearest and a way out", async () => {
    const page = await opened(await here.page());
    const search = page.getByRole("searchbox", { name: "Search" });
    await search.fill("ladybird");
    await page.getByText(/^\d+ of 170/).waitFor();
    await search.fill("a submarine in a hangar");
    await page.getByText("Nothing matches among 170").waitFor();
    await page.getByRole("region", { name: "Nearest" }).waitFor();
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.getByText("170 pictures").waitFor();
    await page.context().close();
  });

  test("a picture opens by a click, is a reference by a key, and goes to the trash and back", async () => {
    const page = await opened(await here.page());
    const cell = page.getByRole("gridcell").first();
    await cell.click();
    const details = page.getByRole("dialog", { name: "Details" });
    await details.getByText("File").waitFor();
    await page.waitForFunction(() => (document.querySelector<HTMLImageElement>("dialog img")?.naturalWidth ?? 0) > 256);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await cell.focus();
    await page.keyboard.press("r");
    await page.getByRole("region", { name: "Yours" }).getByRole("img").waitFor();
    await cell.focus();
    await page.keyboard.press("x");
    await page.getByRole("toolbar", { name: "1 selected" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("169 pictures").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("170 pictures").waitFor();
    await page.context().close();
  });
});

describe("Every page", () => {
  const places = ["/", "/?in=made", "/?in=liked", "/?q=red", "/replies", "/work", "/settings"];
  test.each([false, true])("has nothing that keeps somebody out (dark: %s)", async (dark) => {
    const page = await opened(await here.page(undefined, dark));
    for (const path of places) {
      await page.goto(here.url + path);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      expect(await violations(page), path).toEqual([]);
    }
    await page.context().close();
  });
});

describe("Editing", () => {
  test("a mask is drawn, undone and inverted by keys, and what comes is seen beside the original", async () => {
    const page = await opened(await here.page());
    await page.getByRole("gridcell").first().click();
    await page.getByRole("dialog", { name: "Details" }).getByRole("button", { name: "Edit" }).click();
    const edit = page.getByRole("dialog", { name: "Edit" });
    const mask = edit.getByRole("application", { name: "Mask" });
    const make = edit.getByRole("button", { name: /^Make / });
    await edit.getByRole("textbox").fill("a red door");
    expect(await make.isDisabled()).toBe(true);
    const box = await mask.boundingBox();
    if (!box) throw new Error("the mask is not there");
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6, { steps: 5 });
    await page.mouse.up();
    expect(await make.isDisabled()).toBe(false);
    await mask.focus();
    await page.keyboard.press("z");
    expect(await make.isDisabled()).toBe(true);
    await page.keyboard.press("y");
    await page.keyboard.press("]");
    expect(await violations(page)).toEqual([]);
    await make.click();
    const card = page.getByRole("article", { name: "a red door" });
    await card.getByRole("button", { name: "A 2, done" }).waitFor();
    await card.getByRole("button", { name: "Compare" }).click();
    const compare = page.getByRole("dialog", { name: "Compare" });
    await compare.getByText("before").waitFor();
    await page.waitForFunction(() => {
      const seen = [...document.querySelectorAll<HTMLImageElement>("dialog img")];
      return seen.length === 2 && seen.every((image) => image.naturalWidth > 0);
    });
    await page.context().close();
  });
});
