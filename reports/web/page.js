/* page.js - puts the page together: verdicts first, then what is chosen. */

const VERDICTS = { pass: "passed", fail: "FAILED", error: "could not be run", crash: "CRASHED", hang: "HUNG" };
const FIRST_ROWS = 200;
const report = JSON.parse(element("data").textContent);
report.scenarios.forEach((scenario, index) => {
  scenario.index = index;
});
let shown; /* the parts of the scenario that is open */

function verdictMark(scenario) {
  const passed = scenario.verdict === "pass";
  return make("span", { class: passed ? "good" : "bad" }, `${passed ? "\u2714" : "\u2716"} ${VERDICTS[scenario.verdict]}`);
}

/* The value of a line of a failure's text such as "expected  op ...". */
function lineOf(failure, word) {
  const found = new RegExp(`^${word} +(.*)$`, "m").exec(failure);
  return found === null ? undefined : found[1];
}

function commandLine(command) {
  const said = make("span", { role: "status" });
  const copy = make("button", {
    type: "button", class: "no-print", "aria-label": `Copy ${command}`,
    onclick: () => navigator.clipboard.writeText(command).then(() => { said.textContent = "copied"; },
                                                               () => { said.textContent = "could not be copied"; }),
  }, "Copy");
  return make("span", { class: "command" }, make("code", {}, command), copy, said);
}

/* ---- The first screen --------------------------------------------------------------------- */

/* What a search came to, in a few words. */
function outcomeOf(scenario) {
  const search = scenario.exploration;
  return scenario.verdict === "error" ? "\u2716 could not be searched"
       : scenario.verdict !== "pass" ? `\u2716 found in run ${grouped(search.runs)}`
       : search.complete ? "\u2714 every order holds" : "\u2714 no failure was found";
}

function searchesOf(scenarios) {
  return scenarios.filter((scenario) => scenario.exploration !== null)
    .sort((a, b) => (a.verdict === "pass") - (b.verdict === "pass") || a.index - b.index);
}

function fillHead() {
  const bad = report.scenarios.filter((scenario) => scenario.verdict !== "pass").length;
  const all = report.scenarios.length;
  const s = all === 1 ? "" : "s";
  element("title").textContent = bad === 0 ? `All ${grouped(all)} scenario${s} passed`
                                           : `${grouped(bad)} of ${grouped(all)} scenario${s} did not pass`;
  document.title = `${element("title").textContent} \u2013 poolproof`;
  const events = report.scenarios.reduce((sum, scenario) => sum + scenario.events, 0);
  const parts = [`${grouped(events)} events`, `from ${report.databases.join(", ")}`];
  const searches = searchesOf(report.scenarios);
  if (searches.length > 0) {
    const hits = searches.filter((scenario) => scenario.verdict !== "pass" && scenario.verdict !== "error").length;
    const whole = searches.filter((scenario) => scenario.verdict === "pass" && scenario.exploration.complete).length;
    parts.push(`${grouped(searches.length)} search${searches.length === 1 ? "" : "es"}: ${grouped(hits)} found a failure, ` +
               `${grouped(whole)} showed that every order holds`);
  }
  if (report.superseded > 0) {
    parts.push(`${grouped(report.superseded)} earlier results of the same scenarios are not shown`);
  }
  element("totals").textContent = `${parts.join("; ")}.`;
  element("version").textContent = report.version;
}

/* The last of the events that its failure's text shows: "65ms  acquire_granted  op=b ...". */
function lastEvents(failure, most) {
  const lines = failure.split("\n");
  const first = lines.findIndex((line) => /^timeline +\(/.test(line)) + 1;
  const end = first === 0 ? 0 : lines.findIndex((line, i) => i >= first && !/^ +\S/.test(line));
  return first === 0 ? [] : lines.slice(first, end < 0 ? undefined : end).slice(-most).map((line) => line.trim());
}

function failureCard(scenario) {
  const failure = scenario.failure || "no reason was recorded";
  const expected = lineOf(failure, "expected");
  const found = lineOf(failure, "found");
  const facts = make("dl", {}, make("dt", {}, "where"), make("dd", { class: "mono" }, failure.split("\n")[0]));
  if (expected !== undefined) {
    facts.append(make("dt", {}, "expected"), make("dd", { class: "mono" }, expected));
  }
  if (found !== undefined) {
    facts.append(make("dt", {}, "found"), make("dd", { class: "mono" }, found));
  }
  if (expected === undefined && found === undefined) {
    const lines = failure.split("\n").slice(1, 5).map((line) => line.trim()).filter((line) => line !== "");
    facts.append(make("dt", {}, "why"), make("dd", { class: "mono lines" }, lines.join("\n")));
  }
  const events = lastEvents(failure, 3);
  if (events.length > 0) {
    facts.append(make("dt", {}, "when"), make("dd", { class: "mono lines" }, events.join("\n")));
  }
  if (scenario.exploration !== null) {
    facts.append(make("dt", {}, "search"), make("dd", {}, `${scenario.exploration.strategy}, ${outcomeOf(scenario).slice(2)}`));
  }
  facts.append(make("dt", {}, "run it again"), make("dd", {}, commandLine(scenario.replay)));
  return make("article", { class: "card" },
    make("h3", {}, verdictMark(scenario), " ", make("a", { href: `#scenario-${scenario.index}` }, titleOf(scenario))), facts);
}

function fillFailures() {
  const bad = report.scenarios.filter((scenario) => scenario.verdict !== "pass");
  const box = element("failure-cards");
  const most = 20;
  element("failures").hidden = bad.length === 0;
  bad.slice(0, most).forEach((scenario) => box.append(failureCard(scenario)));
  if (bad.length > most) {
    box.append(make("p", {}, `${grouped(bad.length - most)} more are in the table below.`));
  }
}

function fillSearches() {
  const most = 100;
  const searches = searchesOf(report.scenarios);
  const heads = ["Outcome", "Scenario", "Search", "Runs", "Orders met", "States", "Events a second", "Took"];
  const rows = searches.slice(0, most).map((scenario) => {
    const search = scenario.exploration;
    const orders = search.orders === null ? search.schedules : search.orders;
    return [make("span", { class: scenario.verdict === "pass" ? "good" : "bad" }, outcomeOf(scenario)),
      make("a", { href: `#scenario-${scenario.index}`, title: search.coverage }, titleOf(scenario)), search.strategy,
      search.faulted > 0 ? `${grouped(search.runs)} (${grouped(search.faulted)} with faults)` : grouped(search.runs), grouped(orders), search.states === null ? "\u2013" : grouped(search.states),
      grouped(search.events_per_second), duration(search.wall_ns, 3)];
  });
  element("searches").hidden = searches.length === 0;
  element("searches-table").replaceChildren(table("Table of searches", heads, rows));
  if (searches.length > most) {
    element("searches-table").append(make("p", {}, `${grouped(searches.length - most)} more are in the table below.`));
  }
}

function scenarioRow(scenario) {
  const wait = scenario.durations.queue_wait;
  return make("tr", {}, make("td", {}, verdictMark(scenario)),
    make("td", {}, make("a", { href: `#scenario-${scenario.index}` }, titleOf(scenario)), " ",
         make("span", { class: "soft" }, scenario.path)),
    make("td", { class: "number" }, duration(scenario.virtual_ns, 3)),
    make("td", { class: "number" }, grouped(scenario.events)),
    make("td", { class: "number" }, wait.count > 0 ? duration(wait.p99_ns, 3) : "\u2013"),
    make("td", { class: "number" }, grouped(scenario.operations.dials)));
}

function fillScenarios(all) {
  const text = element("find").value.toLowerCase();
  const verdict = element("verdict").value;
  const found = report.scenarios
    .filter((scenario) => (verdict === "" || scenario.verdict === verdict) &&
                          `${titleOf(scenario)} ${scenario.path}`.toLowerCase().includes(text))
    .sort((a, b) => (a.verdict === "pass") - (b.verdict === "pass") || a.index - b.index);
  const rows = all ? found : found.slice(0, FIRST_ROWS);
  element("scenarios").tBodies[0].replaceChildren(...rows.map(scenarioRow));
  element("found").textContent = `${grouped(found.length)} of ${grouped(report.scenarios.length)}`;
  element("more").hidden = rows.length === found.length;
}

/* ---- One scenario -------------------------------------------------------------------------- */

function fact(name, ...value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, ...value));
}

function fillAbout(scenario) {
  const box = element("detail-about");
  element("detail-title").textContent = titleOf(scenario);
  box.replaceChildren(make("dl", { class: "facts" },
    fact("verdict", verdictMark(scenario)), fact("file", make("code", {}, scenario.path)),
    fact("virtual time", duration(scenario.virtual_ns)), fact("events", grouped(scenario.events)),
    fact("mode", scenario.mode === "live" ? "live: over sockets" : "virtual time"), fact("seed", scenario.seed), fact("order", scenario.schedule === null ? "as the file has it" : scenario.schedule),
    fact("hash of the timeline", make("code", { title: scenario.timeline_sha256 || "" }, (scenario.timeline_sha256 || "\u2013").slice(0, 12))),
    fact("run it again", commandLine(scenario.replay))));
  if (scenario.exploration !== null) {
    box.append(make("p", {}, `Recorded by a search (${scenario.exploration.strategy}): ${outcomeOf(scenario).slice(2)}; ${scenario.exploration.coverage}.`));
  }
  if (scenario.failure !== null) {
    box.append(make("pre", { tabindex: "0", "aria-label": "Why it did not pass" }, scenario.failure));
  }
}

function table(label, heads, rows) {
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
         make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))))));
}

function fillTables(scenario) {
  const none = (text) => make("p", { class: "soft" }, text);
  const judged = scenario.expectations.map((one) => [one.passed ? "\u2714 holds" : "\u2716 does not hold", one.text, one.actual || ""])
    .concat(scenario.violations.map((one) => ["\u2716 violated", one.invariant, `at ${duration(one.t_ns)}: ${one.detail || ""}`]));
  element("expectations").replaceChildren(judged.length === 0 ? none("There are none.")
    : table("Expectations", ["Result", "Expectation or invariant", "Found"], judged));
  const totals = Object.entries(scenario.metrics).map(([name, value]) => [name, String(value)]);
  element("totals-table").replaceChildren(totals.length === 0 ? none("There are none.") : table("Totals", ["Metric", "Value"], totals));
}

/* When it failed, and the time of what that is about: [{ from, to, time }]. */
function failuresOf(scenario, timeline, follower) {
  const failures = scenario.violations.map((one) => ({ from: one.t_ns, to: one.t_ns, time: one.t_ns }));
  const marks = follower.marks.failure.map((event) => timeline.time[event]);
  for (const one of scenario.expectations.filter((each) => !each.passed)) {
    const label = (/^\s*\{\s*"op"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(one.text) || [])[1];
    const number = label === undefined ? -1 : timeline.numberOf(JSON.parse(label));
    let first = -1, last = -1;
    for (let i = 0; number > 0 && i < timeline.count; i++) {
      if (timeline.op[i] === number) {
        first = first < 0 ? i : first;
        if (timeline.kind(i) === "acquire_granted" || timeline.kind(i) === "acquire_failed" || last < 0) {
          last = i;
        }
      }
    }
    if (first >= 0) {
      failures.push({ from: timeline.time[first], to: timeline.time[last], time: timeline.time[last], label: JSON.parse(label) });
    }
  }
  if (failures.length === 0 && scenario.verdict !== "pass") {
    const time = marks.length > 0 ? marks[0] : scenario.virtual_ns;
    failures.push({ from: time, to: time, time });
  }
  return failures.slice(0, 20);
}

function fillSelects(timeline, follower) {
  const kinds = [...new Set(timeline.shapes.filter((shape) => shape !== null).map((shape) => shape.kind))].sort();
  const options = (all, values) => [make("option", { value: "" }, all), ...values.map((value) => make("option", { value }, value))];
  element("kind").replaceChildren(...options("all kinds", kinds));
  element("account").replaceChildren(...options("all", [...follower.accounts].sort((a, b) => a - b).map(String)));
  element("who").value = "";
}

function openTimeline(scenario, timeline) {
  const follower = new Follower(timeline, scenario.virtual_ns).run();
  const failures = failuresOf(scenario, timeline, follower);
  const chosen = (event) => {
    shown.view.selected = event;
    shown.view.reveal(timeline.time[event]);
    shown.list.select(event);
    element("selected").textContent =
      `Event ${event + 1}: ${duration(timeline.time[event])} ${timeline.kind(event)} ${timeline.detail(event)}`;
  };
  const moved = (from, to) => {
    element("range").textContent = `${duration(Math.round(from))} to ${duration(Math.round(to))}`;
  };
  element("selected").textContent = "";
  fillSelects(timeline, follower);
  const view = new LanesView({ timeline, follower, length: scenario.virtual_ns, failures, chosen, moved });
  view.highlight = failures.length > 0 ? failures[0].label : undefined;
  shown = { view, list: new EventList({ timeline, failures, chosen }), follower };
  shown.waiting = [whenInSight(element("charts"), () => fillCharts(follower)),
                   whenInSight(element("distributions"), () => fillDistributions(follower))];
}

function closeScenario() {
  if (shown !== undefined) {
    shown.view.quit();
    shown.list.quit();
    shown.waiting.forEach((giveUp) => giveUp());
    shown = undefined;
  }
  clearCharts(element("charts"));
  clearCharts(element("distributions"));
}

async function openScenario(index, moveFocus) {
  const scenario = report.scenarios[index];
  closeScenario();
  element("detail").hidden = false;
  element("detail-body").hidden = true;
  fillAbout(scenario);
  fillTables(scenario);
  const timeline = await readTimeline(index, scenario.events);
  if (timeline === null) {
    element("detail-about").append(make("p", {}, "Its timeline is not in this page, which would grow too large. A page with it: ",
      commandLine(`${report.program} report ${scenario.database} --scenario ${scenario.id} --html one.html`)));
  } else {
    element("detail-body").hidden = false;
    openTimeline(scenario, timeline);
  }
  if (moveFocus) {
    element("detail-title").focus();
    element("detail").scrollIntoView();
  }
  document.documentElement.dataset.ready = String(index);
}

/* ---- Starting ------------------------------------------------------------------------------ */

function route(moveFocus) {
  const found = /^#scenario-(\d+)$/.exec(location.hash);
  if (found !== null && report.scenarios[Number(found[1])] !== undefined) {
    openScenario(Number(found[1]), moveFocus);
  }
}

function refilter() {
  const wanted = { account: element("account").value, who: element("who").value.toLowerCase(), kind: element("kind").value };
  shown.view.filter(wanted);
  shown.list.filter(wanted);
}

/* `theme`: "light", "dark", or undefined for what the browser is set to. */
function setTheme(theme) {
  const root = document.documentElement;
  if (theme === undefined) {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = theme;
  }
  fillLegend();
  redrawWhatIf();
  if (shown !== undefined) {
    shown.view.paint();
    shown.waiting.forEach((giveUp) => giveUp());
    fillCharts(shown.follower);
    fillDistributions(shown.follower);
  }
}

function changeTheme() {
  const theme = document.documentElement.dataset.theme;
  const isDark = theme === "dark" || (theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
  setTheme(isDark ? "light" : "dark");
}

/* Paper is white. */
function printLight() {
  let before;
  window.addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    setTheme("light");
  });
  window.addEventListener("afterprint", () => setTheme(before));
}

function listen() {
  const acts = {
    in: (view) => view.zoom(0.5), out: (view) => view.zoom(2), fit: (view) => view.fit(),
    left: (view) => view.pan(-0.4), right: (view) => view.pan(0.4), failure: (view) => view.showFailure(),
  };
  document.querySelectorAll("[data-do]").forEach((button) =>
    button.addEventListener("click", () => acts[button.dataset.do](shown.view)));
  for (const id of ["account", "kind"]) {
    element(id).addEventListener("change", refilter);
  }
  element("who").addEventListener("input", refilter);
  element("find").addEventListener("input", () => fillScenarios(false));
  element("verdict").addEventListener("change", () => fillScenarios(false));
  element("more").addEventListener("click", () => fillScenarios(true));
  element("theme").addEventListener("click", changeTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.documentElement.dataset.theme));
  window.addEventListener("hashchange", () => route(true));
}

fillHead();
fillFailures();
fillSearches();
element("verdict").append(...Object.entries(VERDICTS).map(([value, name]) => make("option", { value }, name)));
fillScenarios(false);
fillWhatIf(report.scenarios);
fillLegend();
listen();
printLight();
if (location.hash === "" && report.scenarios.length === 1) {
  openScenario(0, false);
} else {
  route(false);
}
