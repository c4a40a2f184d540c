/* whatif.js - scenarios with a matrix: what changes with a parameter. */

const MEASURED = [
  ["Wait p50", (s) => s.durations.queue_wait.p50_ns, "duration"],
  ["Wait p99", (s) => s.durations.queue_wait.p99_ns, "duration"],
  ["Dials", (s) => s.operations.dials, "count"],
  ["Failed acquires", (s) => s.operations.acquires_failed, "count"],
  ["Idle conns, mean", (s) => s.gauges.idle === undefined ? undefined : s.gauges.idle.mean_thousandths / 1000, "count"],
];

/* "config.max_idle=4 seed=1" as { "config.max_idle": "4", seed: "1" }. */
function parseVariant(variant) {
  const values = {};
  for (const part of variant.match(/[^\s=]+=("[^"]*"|\S*)/g) || []) {
    const at = part.indexOf("=");
    values[part.slice(0, at)] = part.slice(at + 1);
  }
  return values;
}

function showMeasured(value, sort) {
  if (value === undefined || value === null) {
    return "\u2013";
  }
  return sort === "duration" ? duration(value, 3) : grouped(Number(value.toFixed(2)));
}

/* Groups of at least two variants of one scenario: { name, scenarios, parameters }. */
function whatIfGroups(scenarios) {
  const groups = new Map();
  for (const scenario of scenarios) {
    if (scenario.variant !== "") {
      const key = `${scenario.path}\n${scenario.name}`;
      groups.set(key, [...(groups.get(key) || []), { ...scenario, values: parseVariant(scenario.variant) }]);
    }
  }
  return [...groups.values()].filter((group) => group.length > 1).map((group) => {
    const parameters = Object.keys(group[0].values)
      .filter((name) => new Set(group.map((scenario) => scenario.values[name])).size > 1);
    return { name: group[0].name, scenarios: group, parameters };
  });
}

function byNumberThenText(a, b) {
  const x = parseFloat(a), y = parseFloat(b);
  return Number.isNaN(x) || Number.isNaN(y) || x === y ? (a < b ? -1 : a > b ? 1 : 0) : x - y;
}

function mean(values) {
  const known = values.filter((value) => value !== undefined && value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/* A small chart for each measure: the parameter along, a curve for each value of a second one, the
 * mean over all others (seeds). */
function smallMultiples(box, group, along, across) {
  const ticks = [...new Set(group.scenarios.map((scenario) => scenario.values[along]))].sort(byNumberThenText);
  const curves = across === undefined ? [undefined]
    : [...new Set(group.scenarios.map((scenario) => scenario.values[across]))].sort(byNumberThenText).slice(0, 5);
  const shades = ["leased", "waiting", "dialing", "pinging", "closing"];
  for (const [name, read, sort] of MEASURED) {
    addChart(box, {
      caption: name, xs: ticks.map((tick, index) => index), xLabel: along,
      xFormat: (value) => Number.isInteger(value) && ticks[value] !== undefined ? ticks[value] : "",
      yFormat: (value) => showMeasured(value, sort),
      series: curves.map((curve, index) => ({
        label: curve === undefined ? name : `${across}=${curve}`, colour: shades[index], points: true,
        values: ticks.map((tick) => mean(group.scenarios
          .filter((scenario) => scenario.values[along] === tick && (curve === undefined || scenario.values[across] === curve))
          .map(read))),
      })),
    });
  }
}

function variantTable(group, open) {
  const head = make("tr", {}, ...group.parameters.map((name) => make("th", { scope: "col" }, name)),
    make("th", { scope: "col" }, "Verdict"),
    ...MEASURED.map(([name]) => make("th", { scope: "col", class: "number" }, name)));
  const rows = group.scenarios.map((scenario) => make("tr", {},
    ...group.parameters.map((name) => make("td", {}, scenario.values[name])),
    make("td", {}, make("a", { href: `#scenario-${scenario.index}`, "aria-label": `${titleOf(scenario)}: ${scenario.verdict}` }, scenario.verdict)),
    ...MEASURED.map(([name, read, sort]) => make("td", { class: "number" }, showMeasured(read(scenario), sort)))));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Variants of ${group.name}` },
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

const whatIfCharts = []; /* { charts, fill } of the groups that have been opened */

/* In other colours. */
function redrawWhatIf() {
  for (const { charts, fill } of whatIfCharts) {
    clearCharts(charts);
    fill();
  }
}

function fillWhatIf(scenarios) {
  const groups = whatIfGroups(scenarios);
  const box = element("whatif-groups");
  element("whatif").hidden = groups.length === 0;
  groups.forEach((group) => {
    const varied = group.parameters.filter((name) => name !== "seed");
    const [along, across] = varied.length > 0 ? varied : group.parameters;
    const charts = make("div", { class: "charts" });
    const details = make("details", {},
      make("summary", {}, `${group.name}: ${group.scenarios.length} variants of ${group.parameters.join(", ")}`),
      charts, variantTable(group));
    box.append(details);
    details.addEventListener("toggle", () => {
      if (details.open && charts.childElementCount === 0 && along !== undefined) {
        const fill = () => smallMultiples(charts, group, along, across);
        whatIfCharts.push({ charts, fill });
        fill();
      }
    });
    details.open = groups.length === 1;
  });
}
