/** The studio, as somebody uses it: the real server, its sandbox, and a browser. */
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { violations } from "./axe";
import { type Place, place } from "./place";

let here: Place;
beforeAll(async () => {
  here = await place({ library: true });
}, 180_000);
afterAll(async () => {
  await here?.end();
});

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

describe("The camera", () => {
  test("is chosen by what it does, by keyboard, and goes into the prompt", async () => {
    const page = await opened(await here.page());
    await page.getByRole("textbox", { name: "Prompt" }).fill("a market in the rain");
    await page.getByRole("button", { name: /^Camera/ }).press("Enter");
    const camera = page.getByRole("dialog", { name: "Camera" });
    await camera.getByRole("radio", { name: "85 mm" }).press("Space");
    await camera.getByRole("radio", { name: "Daylight" }).press("ArrowRight");
    expect(await camera.getByRole("radio", { name: "Golden hour" }).isChecked()).toBe(true);
    await page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLImageElement>("dialog img")].every((one) => one.naturalWidth > 0),
    );
    expect(await camera.locator("img").count()).toBe(25);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Camera: 85 mm · Golden hour" }).waitFor();
    await page.getByRole("button", { name: "See the whole prompt" }).click();
    await page
      .getByText(/85 mm portrait lens/)
      .first()
      .waitFor();
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

/** A PNG like no other: one colour, eight by eight. */
function png(seed: number): Buffer {
  const chunk = (kind: string, content: Buffer) => {
    const typed = Buffer.concat([Buffer.from(kind), content]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(content.length);
    const end = Buffer.alloc(4);
    end.writeUInt32BE(crc32(typed));
    return Buffer.concat([head, typed, end]);
  };
  const size = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([
    Buffer.from([0]),
    ...Array.from({ length: 8 }, (_, x) =>
      Buffer.from([(seed * 37 + x * 20) % 256, (seed * 91) % 256, (seed * 13) % 256]),
    ),
  ]);
  const rows = deflateSync(Buffer.concat(Array.from({ length: 8 }, () => row)));
  const sign = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([sign, chunk("IHDR", size), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

describe("Uploading", () => {
  test("forty files that are dropped come in, but for two that are no pictures, and why is said", async () => {
    const page = await opened(await here.page());
    const files = Array.from({ length: 40 }, (_, n) => {
      const isBad = n === 7 || n === 21;
      const content = isBad ? Buffer.from(`no picture ${n}`) : png(n + 1);
      return { name: `dropped-${n}.png`, content: content.toString("base64") };
    });
    await page.evaluate((dropped) => {
      const transfer = new DataTransfer();
      for (const { name, content } of dropped) {
        const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: "image/png" }));
      }
      const drop = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.querySelector("main")?.dispatchEvent(drop);
    }, files);
    const uploads = page.getByRole("region", { name: "Uploads" });
    await uploads.getByText("40 of 40 · 2 not read").waitFor({ timeout: 60_000 });
    await uploads.getByText("dropped-7.png:").waitFor();
    await page.getByText("208 pictures").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});

describe("The network", () => {
  test("may go away and come back: it is said, what is composed stays, and it is made then", async () => {
    const page = await opened(await here.page());
    await page.context().setOffline(true);
    await page.getByText("Offline. Reading goes on").waitFor();
    await page.getByRole("textbox", { name: "Prompt" }).fill("written offline");
    await page.context().setOffline(false);
    await page.getByText("Offline. Reading goes on").waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^Make / }).click();
    await page.getByRole("article", { name: "written offline" }).first().waitFor();
    await page.context().close();
  });
});

describe("Keys", () => {
  test("lead to places and to everything by its name, and do nothing once they are switched off", async () => {
    const page = await opened(await here.page());
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "What to do" }).waitFor();
    await page.keyboard.type("work");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Now" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("grid", { name: "Pictures" }).waitFor();
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keys" });
    await keys.getByRole("checkbox", { name: "Single keys do something" }).uncheck();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("gridcell").first().focus();
    await page.keyboard.press("r");
    await page.keyboard.press("?");
    expect(await keys.count()).toBe(0);
    expect(await page.getByRole("region", { name: "Yours" }).getByRole("img").count()).toBe(0);
    await page.context().close();
  });
});

describe("Every page", () => {
  const places = ["/", "/?in=made", "/?in=liked", "/?q=red", "/?show=trash", "/replies", "/work", "/settings"];
  test("fits at twice its size, and nothing moves for whoever wants no motion", async () => {
    const page = await here.page({ width: 720, height: 450 });
    await page.emulateMedia({ reducedMotion: "reduce" });
    for (const path of places) {
      await page.goto(here.url + path);
      await page.getByRole("navigation").waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(720);
    }
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll("*")].some((one) => getComputedStyle(one).transitionDuration !== "0s"),
    );
    expect(moving).toBe(false);
    await page.context().close();
  });

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
    const page = await here.page();
    await page.goto(`${here.url}/?i=lighthouse-at-dusk-from-below`);
    await page.getByRole("dialog", { name: "Details" }).getByRole("button", { name: "Edit" }).click();
    const edit = page.getByRole("dialog", { name: "Edit" });
    const mask = edit.getByRole("application", { name: "Mask" });
    const make = edit.getByRole("button", { name: /^Make / });
    await edit.getByRole("textbox").fill("a red door");
    const chooser = page.waitForEvent("filechooser");
    await edit.getByText("Choose a file").click();
    await (await chooser).setFiles({ name: "door.png", mimeType: "image/png", buffer: png(99) });
    await edit.getByRole("img", { name: "door.png" }).waitFor();
    await edit.getByLabel("Side B").selectOption("sandbox:gemini-3-pro-image");
    await edit.getByRole("button", { name: "Make 2 + 2" }).waitFor();
    await edit.getByLabel("Side B").selectOption("");
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
    await page.getByLabel("When").selectOption("1");
    await page.getByLabel("Project").selectOption("studio");
    await page.getByRole("searchbox", { name: "Search" }).fill("a submarine");
    await page.getByText("Nothing that was made matches.").waitFor();
    await page.getByRole("searchbox", { name: "Search" }).fill("red door");
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
