/* signs.js - the forms of spans and marks, in lanes and in the legend. */

const ROW = 20; /* px: the height of a lane */

function colours() {
  const style = getComputedStyle(document.documentElement);
  const all = {};
  for (const name of ["page", "ink", "soft", "line", "panel", "bad", "focus", "on-leased", ...SPAN_NAMES]) {
    all[name] = style.getPropertyValue(`--${name}`).trim();
  }
  return all;
}

/* Each kind has a form of its own, so that none is told by its colour alone. */
function drawSpan(context, colour, kind, x, y, width) {
  const name = SPAN_NAMES[kind];
  context.fillStyle = colour[name];
  context.strokeStyle = colour[name];
  context.lineWidth = 1;
  if (kind === LEASED) {
    context.fillRect(x, y + 2, width, ROW - 4);
  } else if (kind === IDLE) {
    context.fillRect(x, y + ROW / 2 - 1, width, 2);
  } else if (kind === PINGING) {
    context.fillRect(x, y + 1, Math.max(width, 2), 4);
  } else if (kind === WAITING) {
    context.fillRect(x, y + ROW - 5, width, 2);
    context.fillRect(x, y + 4, width, 1);
    context.beginPath();
    for (let at = x + 3; at < x + width; at += 6) {
      context.moveTo(at, y + ROW - 5);
      context.lineTo(at + 3, y + 5);
    }
    context.stroke();
  } else {
    if (width > 2) {
      context.strokeRect(x + 0.5, y + 4.5, width - 1, ROW - 9);
    } else {
      context.fillRect(x, y + 4, width, ROW - 8);
    }
    context.beginPath();
    for (let at = x + 3; at < x + width - 1; at += 5) {
      if (kind === DIALING) {
        context.rect(at, y + ROW / 2 - 1, 1.5, 1.5);
      } else {
        context.moveTo(at - 2, y + 6);
        context.lineTo(at + 2, y + ROW - 6);
        context.moveTo(at + 2, y + 6);
        context.lineTo(at - 2, y + ROW - 6);
      }
    }
    context.stroke();
  }
}

function drawMark(context, colour, sort, x, y) {
  context.fillStyle = sort === "failure" ? colour.bad : colour.ink;
  context.strokeStyle = context.fillStyle;
  context.beginPath();
  if (sort === "step") {
    context.moveTo(x - 4, y - 4);
    context.lineTo(x + 4, y - 4);
    context.lineTo(x, y + 4);
    context.fill();
  } else if (sort === "fault") {
    context.moveTo(x, y - 5);
    context.lineTo(x + 4, y);
    context.lineTo(x, y + 5);
    context.lineTo(x - 4, y);
    context.closePath();
    context.stroke();
  } else if (sort === "sweep") {
    context.fillRect(x - 0.5, y - 5, 1.5, 10);
  } else {
    context.lineWidth = 2;
    context.moveTo(x - 4, y - 4);
    context.lineTo(x + 4, y + 4);
    context.moveTo(x + 4, y - 4);
    context.lineTo(x - 4, y + 4);
    context.stroke();
    context.lineWidth = 1;
  }
}

/* What the forms and signs mean, drawn by the same code. */
function fillLegend() {
  const legend = element("legend");
  const colour = colours();
  const sample = (draw) => {
    const canvas = make("canvas", { width: 28, height: ROW, "aria-hidden": "true" });
    draw(canvas.getContext("2d"));
    return canvas;
  };
  legend.replaceChildren();
  SPAN_NAMES.forEach((name, kind) =>
    legend.append(make("li", {}, sample((context) => drawSpan(context, colour, kind, 1, 0, 26)), name)));
  for (const [sort, name] of [["step", "step of the scenario"], ["fault", "fault"], ["sweep", "sweep"], ["failure", "failure"]]) {
    legend.append(make("li", {}, sample((context) => drawMark(context, colour, sort, 14, ROW / 2)), name));
  }
}
