/*
 * report.mjs - opens HTML reports in a headless Chromium and uses them as a person does.
 *
 *   node report.mjs MODULES FOLDER
 *
 * MODULES is where npm has put playwright-core and axe-core; CHROMIUM in the environment is the
 * browser (default /usr/bin/chromium). FOLDER has failing.html, passing.html, matrix.html,
 * searches.html, million.html, compare.html (tests/integration/html.sh makes them), and gets screenshots where one
 * of these checks fails. Exit status 1: something does not hold.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";
import fs from "node:fs";

const [modules, folder] = process.argv.slice(2).map((name) => path.resolve(name));
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let failures = 0;
let checks = 0;

function check(holds, what, found) {
  checks++;
  if (!holds) {
    failures++;
    console.log(`FAIL: ${what}${found === undefined ? "" : `; found ${JSON.stringify(found)}`}`);
  }
}

function equal(found, expected, what) {
  check(JSON.stringify(found) === JSON.stringify(expected), `${what}: expected ${JSON.stringify(expected)}`, found);
}

/* Opens a page; whatever its script complains of and whatever it asks of the network is a failure. */
async function open(browser, name, { hash = "", ready = true, ...options } = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const file = pathToFileURL(path.join(folder, name)).href;
  page.on("console", (message) => check(message.type() !== "error", `${name}: no error on the console`, message.text()));
  page.on("pageerror", (error) => check(false, `${name}: no exception`, error.message));
  page.on("request", (request) => check(request.url().startsWith(file) || request.url() === "data:,",
                                        `${name}: no request`, request.url()));
  await page.goto(file + hash);
  if (ready) {
    await page.waitForSelector("html[data-ready]", { timeout: 120000 });
    await settle(page);
  }
  return page;
}

/* Until what was asked to be drawn is drawn. */
function settle(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))));
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  equal(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`), [],
        `${what}: axe-core finds nothing`);
}

const text = (page, selector) => page.locator(selector).first().innerText();

/* Where a time is on the canvas of a scenario that is shown whole. */
async function place(page, part, y) {
  const box = await page.locator("#canvas").boundingBox();
  return { x: box.x + 150 + part * (box.width - 158), y: box.y + y };
}

async function aFailureIsFoundFromTheFirstScreen(browser) {
  const page = await open(browser, "failing.html", { ready: false });
  const card = page.locator(".card").first();
  const { y, height } = await card.boundingBox();
  check(y + height < 900, "the first failure is on the first screen", y + height);
  const words = await card.innerText();
  for (const part of ["FAILED", "second-caller-waits", "queue_wait = 50ms", "queue_wait = 55ms", "65ms acquire_granted", "replay --db"]) {
    check(words.includes(part), `the failure says ${part}`, words);
  }
  equal(await text(page, "h1"), "1 of 2 scenarios did not pass", "the title");
  await card.getByRole("link").click();
  await page.waitForSelector("html[data-ready]");
  equal(await text(page, "#detail-title"), "second-caller-waits", "the link leads to the scenario");
  check(await page.evaluate(() => document.activeElement.id === "detail-title"), "the focus goes with it");
  await page.close();
}

async function zoomFilterAndHoverWork(browser) {
  const page = await open(browser, "failing.html", { hash: "#scenario-0" });
  equal(await text(page, "#range"), "0s to 95ms", "all of it is shown first");
  await page.getByRole("button", { name: "Zoom in" }).click();
  equal(await text(page, "#range"), "23.75ms to 71.25ms", "zoomed in");
  await page.getByRole("button", { name: "Later" }).click();
  equal(await text(page, "#range"), "42.75ms to 90.25ms", "moved");
  await page.locator("#lanes").focus();
  await page.keyboard.press("0");
  equal(await text(page, "#range"), "0s to 95ms", "the key 0 shows all");
  await page.keyboard.press("+");
  await page.keyboard.press("ArrowLeft");
  equal(await text(page, "#range"), "14.25ms to 61.75ms", "keys zoom and move");
  await page.keyboard.press("f");
  equal(await text(page, "#selected"), "Event 13: 65ms lease_released held=60ms", "the key f goes to the failure");
  await page.keyboard.press("n");
  equal(await text(page, "#selected"), "Event 14: 65ms acquire_granted queue_wait=55ms reused=1 queued=1", "the key n goes on");
  equal(await page.locator('.event[aria-selected="true"]').getAttribute("id"), "event-13", "the list shows the same event");
  await page.keyboard.press("0");
  await settle(page);

  /* Rows: a heading, a, b (22 + 18 px of axis and marks, 20 px each). */
  await page.locator("#canvas").scrollIntoViewIfNeeded();
  let point = await place(page, 40 / 95, 40 + 20 * 2 + 10);
  await page.mouse.move(point.x, point.y);
  const tip = await text(page, "#tip");
  check(tip.includes("request b: waiting") && tip.includes("10ms to 65ms: 55ms") && tip.includes("acquire_granted"), "hovering tells the span", tip);
  await page.mouse.click(point.x, point.y);
  check((await text(page, "#selected")).includes("acquire_started"), "a click chooses the event with which it began", await text(page, "#selected"));
  point = await place(page, 10 / 95, 22 + 9);
  await page.mouse.move(point.x, point.y);
  check((await text(page, "#tip")).includes("step_performed"), "hovering a mark tells its event", await text(page, "#tip"));

  equal(await text(page, "#events-count"), "16 events", "all events");
  await page.selectOption("#kind", "acquire_granted");
  equal(await text(page, "#events-count"), "2 of 16 events", "filtered by kind");
  await page.fill("#who", "B");
  equal(await text(page, "#events-count"), "1 of 16 events", "and by operation, whatever the case");
  await page.selectOption("#kind", "");
  await page.fill("#who", "oa_ws");
  equal(await text(page, "#events-count"), "6 of 16 events", "filtered by conn");
  await page.fill("#who", "");
  await page.selectOption("#account", "1");
  equal(await text(page, "#events-count"), "15 of 16 events", "filtered by account");
  await page.close();
}

async function theListIsUsedWithKeys(browser) {
  const page = await open(browser, "failing.html", { hash: "#scenario-0" });
  await page.locator("#events").focus();
  await page.keyboard.press("End");
  check((await text(page, "#selected")).startsWith("Event 16: 95ms run_ended"), "End goes to the last event");
  await page.keyboard.press("ArrowUp");
  check((await text(page, "#selected")).startsWith("Event 15:"), "up goes one back");
  await page.keyboard.press("Home");
  check((await text(page, "#selected")).startsWith("Event 1: 0s step_performed"), "Home goes to the first");
  await settle(page);
  equal(await page.locator("#events").getAttribute("aria-activedescendant"), "event-0", "the list says which is chosen");
  await page.close();
}

async function scenariosAreFound(browser) {
  const page = await open(browser, "failing.html", { ready: false });
  equal(await text(page, "#found"), "2 of 2", "all scenarios");
  await page.selectOption("#verdict", "pass");
  equal(await text(page, "#found"), "1 of 2", "by verdict");
  await page.fill("#find", "no such");
  equal(await text(page, "#found"), "0 of 2", "by name");
  await page.close();
}

async function everyLookIsAccessible(browser) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 360]) {
      const page = await open(browser, "failing.html", { hash: "#scenario-0", colorScheme, viewport: { width, height: 900 } });
      await accessible(page, `${colorScheme}, ${width} px`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= width, `${width} px: nothing is wider than the window`, wide);
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      equal(dark, colorScheme === "dark" ? "rgb(20, 23, 26)" : "rgb(255, 255, 255)", `${colorScheme}: the page's colour`);
      if (width === 1280) {
        await page.getByRole("button", { name: "Other colours" }).click();
        await settle(page);
        await accessible(page, `${colorScheme}, changed`);
      }
      await page.close();
    }
  }
}

async function paperIsWhite(browser) {
  const page = await open(browser, "failing.html", { hash: "#scenario-0", colorScheme: "dark" });
  const corner = () => page.evaluate(() => {
    const canvas = document.getElementById("canvas");
    return [...canvas.getContext("2d").getImageData(2, canvas.height - 3, 1, 1).data].slice(0, 3);
  });
  equal(await corner(), [20, 23, 26], "dark lanes on the screen");
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  equal(await corner(), [255, 255, 255], "light lanes on paper");
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  equal(await corner(), [20, 23, 26], "dark lanes afterwards");
  check((await page.pdf()).length > 10000, "it can be printed");
  await page.close();
}

async function noColourAloneCarriesMeaning(browser) {
  const page = await open(browser, "failing.html", { hash: "#scenario-0" });
  /* In grey, the forms of the legend still differ from one another. */
  const forms = await page.evaluate(() => [...document.querySelectorAll("#legend canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let form = "";
    for (let i = 3; i < data.length; i += 4) {
      form += data[i] > 100 ? "#" : ".";
    }
    return form;
  }));
  equal(forms.length, 10, "a sign for each kind of span and mark");
  equal(new Set(forms).size, forms.length, "no two have the same form");
  await page.close();
}

async function chartsComeIntoSight(browser) {
  const page = await open(browser, "failing.html", { hash: "#scenario-0" });
  await page.locator("#distributions").scrollIntoViewIfNeeded();
  await page.waitForSelector("#distributions .uplot", { timeout: 30000 });
  equal(await page.locator("#charts .uplot").count(), 3, "curves of conns, waits and dials");
  equal(await page.locator("#distributions .uplot").count(), 5, "waits and holds twice, one dial");
  await accessible(page, "with charts");
  await page.close();
}

async function passingAndEmptyPartsAreSaid(browser) {
  const page = await open(browser, "passing.html");
  equal(await text(page, "h1"), "All 1 scenario passed", "the title");
  check(await page.locator("#failures").isHidden(), "no failures are shown");
  check(await page.locator("#whatif").isHidden(), "no comparison is shown");
  equal(await text(page, "#expectations"), "There are none.", "no expectations");
  await page.close();
}

async function aMatrixIsCompared(browser) {
  const page = await open(browser, "matrix.html", { ready: false });
  equal(await page.locator("#whatif .charts figure").count(), 5, "a chart for each measure");
  const table = await text(page, "#whatif .scroll table");
  for (const part of ["config.max_conns_per_account", "Wait p99", "Dials", "Failed acquires", "Idle conns, mean"]) {
    check(table.includes(part), `the comparison has ${part}`, table);
  }
  equal(await page.locator("#whatif .scroll tbody tr").count(), 4, "a row for each variant");
  const first = (await page.locator("#whatif .scroll tbody tr").first().innerText()).split("\t");
  equal(first.slice(0, 5), ["1", "1", "pass", "0s", "4ms"], "parameters, verdict and waits");
  await accessible(page, "matrix");
  await page.locator("#whatif tbody a").first().click();
  await page.waitForSelector("html[data-ready]");
  equal(await page.locator("#whatif .charts figure").count(), 5, "its charts stay when a scenario is opened");
  await page.getByRole("button", { name: "Other colours" }).click();
  equal(await page.locator("#whatif .uplot").count(), 5, "and in other colours");
  await page.close();
}

async function searchesSayWhatTheyCovered(browser) {
  const page = await open(browser, "searches.html", { ready: false });
  const box = await page.locator("#searches").boundingBox();
  check(box.y + box.height < 900, "what searches covered is on the first screen", box);
  check((await text(page, "#totals")).includes("2 searches: 1 found a failure, 1 showed that every order holds"), "the totals tell of the searches",
        await text(page, "#totals"));
  const rows = await page.locator("#searches tbody tr").allInnerTexts();
  check(rows.length === 2 && rows[0].startsWith("\u2716 found in run 3\traces\texhaustive\t3\t3\t3\t"), "the hit comes first", rows);
  check(rows.length === 2 && rows[1].startsWith("\u2714 every order holds\tpasses\texhaustive\t1\t1\t"), "then the one without", rows);
  check((await text(page, ".card")).includes("exhaustive, found in run 3"), "the failure says how it was found", await text(page, ".card"));
  await page.locator("#searches a").first().click();
  await page.waitForSelector("html[data-ready]");
  check((await text(page, "#detail-about")).includes("Recorded by a search (exhaustive): found in run 3; 3 runs"), "and its scenario, too",
        await text(page, "#detail-about"));
  await accessible(page, "searches");
  await page.close();
}

async function aMillionEventsOpenAndPan(browser) {
  const page = await open(browser, "million.html", { ready: false });
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const seconds = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return of("ThreadTime");
  };
  await page.waitForSelector("html[data-ready]", { timeout: 120000 });
  const opened = await seconds();
  const events = await text(page, "#events-count");
  check(Number(events.replace(/\D/g, "")) > 900000, "there are about a million events", events);
  /* Processor time of the page's thread: other work on the machine does not add to it. */
  console.log(`million.html: busy ${opened.toFixed(2)} s until it was open`);
  check(opened < 3, "it opens in under three seconds", opened);
  for (let i = 0; i < 40; i++) {
    await page.locator("#lanes").press(i < 6 ? "+" : i % 2 === 0 ? "ArrowRight" : "ArrowLeft");
    await settle(page);
  }
  const panned = (await seconds()) - opened;
  console.log(`million.html: busy ${(panned / 40 * 1000).toFixed(1)} ms for each of 40 moves`);
  check(panned / 40 < 0.1, "a move takes under 100 ms", panned / 40);
  await page.selectOption("#kind", "dial_started");
  check(/ of /.test(await text(page, "#events-count")), "a filter works on a million events");
  await page.close();
}

async function aComparisonIsAccessible(browser) {
  const page = await open(browser, "compare.html", { ready: false, colorScheme: "dark" });
  check((await text(page, "h1")).includes("a regression"), "the comparison says what it is");
  await accessible(page, "comparison");
  await page.close();
}

/* Checks that cannot fail are worth nothing: one that must. */
async function theChecksFindWhatIsWrong(browser) {
  const page = await browser.newPage();
  await page.setContent("<!doctype html><html><body><img src='data:,'><button></button></body></html>");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  check(violations.some(({ id }) => id === "button-name"), "axe-core finds a button without a name");
  await page.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const one of [aFailureIsFoundFromTheFirstScreen, zoomFilterAndHoverWork, theListIsUsedWithKeys, scenariosAreFound,
                   everyLookIsAccessible, paperIsWhite, noColourAloneCarriesMeaning, chartsComeIntoSight, passingAndEmptyPartsAreSaid,
                   searchesSayWhatTheyCovered, aMatrixIsCompared,
                   aMillionEventsOpenAndPan, aComparisonIsAccessible, theChecksFindWhatIsWrong]) {
  try {
    await one(browser);
  } catch (error) {
    failures++;
    console.log(`FAIL: ${one.name}: ${error.message}`);
  }
}
await browser.close();
console.log(`${checks} checks, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
