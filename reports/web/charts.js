/* charts.js - curves over time and distributions, drawn by uPlot. Every curve has a dash of its own
 * and its name in the legend, so that none is told by its colour alone. */

const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5]];
const DASH_STYLES = ["solid", "dashed", "dotted", "double", "dashed"]; /* the same in the legend */
const PERCENTILES = [0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 99, 99.5, 99.9, 100];
let plots = [];

/* Takes away the charts in `box`. */
function clearCharts(box) {
  for (const { plot, observer } of plots.filter((one) => one.box === box)) {
    observer.disconnect();
    plot.destroy();
  }
  plots = plots.filter((one) => one.box !== box);
  box.replaceChildren();
}

/* Nearest rank, as everywhere in poolproof: a sample that occurred. */
function percentile(sorted, percent) {
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100 - 1e-9) - 1)];
}

function axis(colour, format) {
  return {
    stroke: colour.ink, grid: { stroke: colour.line, width: 1 }, ticks: { stroke: colour.line },
    font: "12px system-ui, sans-serif", size: 64, values: (plot, values) => values.map(format),
  };
}

/* A figure with a chart in `parent`. `series`: [{ label, values, colour, bars }]. */
function addChart(parent, { caption, xs, series, xFormat, yFormat, xLabel }) {
  const colour = colours();
  const figure = make("figure", {}, make("figcaption", {}, caption));
  parent.append(figure);
  const options = {
    width: Math.max(200, figure.clientWidth - 16), height: 180,
    legend: { live: true, markers: { width: 3, dash: (plot, index) => DASH_STYLES[(index - 1) % DASH_STYLES.length] } },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (plot, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] } },
    axes: [{ ...axis(colour, xFormat), size: 34, space: 80 }, axis(colour, yFormat)],
    series: [{ label: xLabel, value: (plot, value) => value === null ? "" : xFormat(value) },
             ...series.map((one, index) => ({
               label: one.label, stroke: colour[one.colour], width: 2, dash: DASHES[index % DASHES.length],
               value: (plot, value) => value === null || value === undefined ? "" : yFormat(value),
               points: { show: one.points === true },
               ...(one.bars ? { paths: uPlot.paths.bars({ size: [0.9] }), fill: colour[one.colour] } : {}),
             }))],
  };
  const plot = new uPlot(options, [xs, ...series.map((one) => one.values)], figure);
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(200, figure.clientWidth - 16), height: 180 }));
  observer.observe(figure);
  plots.push({ box: parent, plot, observer });
  return figure;
}

function count(value) {
  return grouped(Number(value.toFixed(2)));
}

function fillCharts(follower) {
  const box = element("charts");
  clearCharts(box);
  const slice = follower.length / SLICES;
  const xs = Float64Array.from({ length: SLICES }, (unused, i) => i * slice);
  const time = (value) => duration(Math.round(value), 3);
  const gauge = (name, colour) => ({ label: name, values: follower.gauges[name].most, colour });
  addChart(box, { caption: "Conns (the most of each slice of time)", xs, xLabel: "time", xFormat: time, yFormat: count,
                  series: [gauge("leased", "leased"), gauge("idle", "idle"), gauge("dialing", "dialing")] });
  addChart(box, { caption: "Requests that wait for a conn", xs, xLabel: "time", xFormat: time, yFormat: count,
                  series: [gauge("waiting", "waiting")] });
  /* Fewer, wider slices: a rate needs some events in each. */
  const wide = 50, per = SLICES / wide;
  const rates = Array.from({ length: wide }, (unused, i) =>
    follower.dialed.subarray(i * per, (i + 1) * per).reduce((sum, value) => sum + value, 0) / (per * slice) * SECOND);
  addChart(box, { caption: "Dials a second", xs: rates.map((unused, i) => i * per * slice), xLabel: "time", xFormat: time,
                  yFormat: count, series: [{ label: "dials/s", values: rates, colour: "dialing" }] });
}

/* Fills a box with `fill` when it comes into sight: most readers look at the lanes first. Returns a
 * function that gives that up. */
function whenInSight(box, fill) {
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      fill();
    }
  }, { rootMargin: "200px" });
  observer.observe(box);
  return () => observer.disconnect();
}

function fillDistributions(follower) {
  const box = element("distributions");
  clearCharts(box);
  const names = { queue_wait: ["Queue wait", "waiting"], hold: ["Hold", "leased"], dial: ["Dial", "dialing"], ping: ["Ping", "pinging"] };
  const time = (value) => duration(Math.round(value), 3);
  for (const [key, [name, colour]] of Object.entries(names)) {
    const sorted = Float64Array.from(follower.durations[key]).sort();
    if (sorted.length === 0) {
      continue;
    }
    const percents = PERCENTILES;
    addChart(box, { caption: `${name}: percentiles of ${grouped(sorted.length)}`, xs: percents, xLabel: "percentile",
                    xFormat: (value) => `${Number(value.toFixed(1))}%`, yFormat: time,
                    series: [{ label: name, values: percents.map((p) => percentile(sorted, p)), colour }] });
    const low = sorted[0], high = sorted[sorted.length - 1];
    if (high > low) {
      const bins = 30, width = (high - low) / bins;
      const counts = new Array(bins).fill(0);
      for (const value of sorted) {
        counts[Math.min(bins - 1, Math.floor((value - low) / width))]++;
      }
      addChart(box, { caption: `${name}: how many took how long`, xs: counts.map((unused, i) => low + (i + 0.5) * width),
                      xLabel: "about", xFormat: time, yFormat: count,
                      series: [{ label: "count", values: counts, colour, bars: true }] });
    }
  }
  if (box.childElementCount === 0) {
    box.append(make("p", { class: "soft" }, "Nothing was waited for, held, dialled or pinged."));
  }
}
