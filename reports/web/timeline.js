/* timeline.js - the lanes on a canvas: draws what is visible, and of what is narrower than a pixel
 * one for all of it. */

const GUTTER = 150, AXIS = 22, STRIP = 18, SHORTEST = 100; /* ns: the narrowest window */

/* A round step of which about `count` fit into `length`. */
function roundStep(length, count) {
  const rough = length / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

class LanesView {
  /* `chosen(event)` is called when an event is chosen, `moved(from, to)` when the window moves. */
  constructor({ timeline, follower, length, failures, chosen, moved }) {
    Object.assign(this, { timeline, follower, length: Math.max(length, 1), failures, chosen, moved });
    this.box = element("lanes");
    this.canvas = element("canvas");
    this.context = this.canvas.getContext("2d");
    this.gutter = GUTTER;
    this.from = 0;
    this.to = this.length;
    this.selected = -1;
    this.highlight = 0;
    this.filter({ account: "", who: "" });
    this.listen();
    this.fit();
  }

  /* Shows the lanes of an account, and of those whose name, or the name of whom they concern, has
   * `who` in it. */
  filter({ account, who }) {
    const names = this.timeline.textsWith(who);
    this.lanes = this.follower.lanes.filter((lane) => {
      if (account !== "" && lane.account !== 0 && String(lane.account) !== account) {
        return false;
      }
      return who === "" || lane.label.toLowerCase().includes(who) || lane.text.some((text) => text !== 0 && names[text] === 1);
    });
    this.rows = [];
    let group = "";
    for (const lane of this.lanes) {
      if (lane.group !== group) {
        group = lane.group;
        this.rows.push({ heading: group });
      }
      this.rows.push({ lane });
    }
    element("lanes-space").style.height = `${AXIS + STRIP + this.rows.length * ROW + 8}px`;
    this.resize();
  }

  listen() {
    const quit = new AbortController();
    const on = (target, kind, act, more) => target.addEventListener(kind, act, { signal: quit.signal, ...more });
    this.quit = () => {
      quit.abort();
      this.observer.disconnect();
    };
    on(this.box, "scroll", () => this.draw());
    on(this.box, "wheel", (event) => this.wheel(event), { passive: false });
    on(this.box, "keydown", (event) => this.key(event));
    on(this.canvas, "pointermove", (event) => this.point(event));
    on(this.canvas, "pointerleave", () => { element("tip").hidden = true; });
    on(this.canvas, "pointerdown", (event) => {
      this.drag = { x: event.offsetX, from: this.from, to: this.to, moved: false };
      this.canvas.setPointerCapture(event.pointerId);
    });
    on(this.canvas, "pointerup", (event) => {
      if (this.drag !== undefined && !this.drag.moved) {
        this.choose(event);
      }
      this.drag = undefined;
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const needed = AXIS + STRIP + this.rows.length * ROW + 8;
    this.box.style.height = needed < 420 ? `${needed + 4}px` : "";
    this.width = this.box.clientWidth;
    this.gutter = Math.min(GUTTER, Math.round(this.width * 0.3));
    this.height = Math.min(this.box.clientHeight, Math.max(needed, 60));
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    element("lanes-space").style.marginTop = `${-this.height}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  /* ---- Moving ---- */

  show(from, to) {
    const span = Math.min(Math.max(to - from, SHORTEST), this.length);
    this.from = Math.min(Math.max(from, 0), this.length - span);
    this.to = this.from + span;
    this.moved(this.from, this.to);
    this.draw();
  }

  fit() {
    this.show(0, this.length);
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    const span = Math.min(Math.max((this.to - this.from) * factor, SHORTEST), this.length);
    const from = at - (at - this.from) / (this.to - this.from) * span;
    this.show(from, from + span);
  }

  pan(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  /* Moves the window so that `time` is in it. */
  reveal(time) {
    if (time < this.from || time > this.to) {
      const half = (this.to - this.from) / 2;
      this.show(time - half, time + half);
    } else {
      this.draw();
    }
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(this.offset(event)));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.pan(event.deltaX / this.width);
    }
  }

  key(event) {
    const acts = {
      ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2), "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.fit(),
      n: () => this.chosen(Math.min(this.selected + 1, this.timeline.count - 1)),
      p: () => this.chosen(Math.max(this.selected - 1, 0)), f: () => this.showFailure(),
    };
    if (acts[event.key] !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      acts[event.key]();
    }
  }

  /* The time of the first failure, with what it is about around it. */
  showFailure() {
    if (this.failures.length > 0) {
      const { from, to, time } = this.failures[0];
      const margin = Math.max((to - from) / 4, SHORTEST);
      this.show(from - margin, to + margin);
      this.chosen(Math.min(this.timeline.at(time), this.timeline.count - 1));
    }
  }

  /* ---- Where things are ---- */

  offset(event) {
    return event.clientX - this.canvas.getBoundingClientRect().left;
  }

  xAt(time) {
    return this.gutter + (time - this.from) / (this.to - this.from) * (this.width - this.gutter - 8);
  }

  timeAt(x) {
    return this.from + (x - this.gutter) / (this.width - this.gutter - 8) * (this.to - this.from);
  }

  rowAt(y) {
    const index = Math.floor((y - AXIS - STRIP + this.box.scrollTop) / ROW);
    return y < AXIS + STRIP ? undefined : this.rows[index];
  }

  /* What is drawn at a point: { span: { lane, index } } or { mark: event } or {}. */
  find(x, y) {
    if (y >= AXIS && y < AXIS + STRIP) {
      return { mark: this.nearestMark(x) };
    }
    const row = this.rowAt(y);
    if (row === undefined || row.lane === undefined) {
      return {};
    }
    const slack = (this.to - this.from) / this.width * 3;
    for (const lane of [row.lane.pings, row.lane]) {
      const time = this.timeAt(x);
      const index = lane === undefined ? -1 : lane.after(time - slack);
      if (index >= 0 && index < lane.start.length && lane.start[index] <= time + slack) {
        return { span: { lane, row: row.lane, index } };
      }
    }
    return {};
  }

  nearestMark(x) {
    let best = -1, distance = 6;
    for (const sort of ["failure", "step", "fault", "sweep"]) {
      for (const event of this.follower.marks[sort]) {
        const away = Math.abs(this.xAt(this.timeline.time[event]) - x);
        if (away < distance) {
          best = event;
          distance = away;
        }
      }
    }
    return best;
  }

  describe({ span, mark }) {
    const timeline = this.timeline;
    if (mark !== undefined && mark >= 0) {
      return `${duration(timeline.time[mark])}  ${timeline.kind(mark)}\n${timeline.detail(mark)}`;
    }
    if (span === undefined) {
      return "";
    }
    const { lane, row, index } = span;
    const start = lane.start[index], end = lane.end[index], last = lane.last[index];
    const whom = timeline.text(lane.text[index]);
    const lines = [`${row.group === "conns" ? "conn" : row.group.slice(0, -1)} ${row.label}: ${SPAN_NAMES[lane.kind[index]]}` +
                   (whom === "" ? "" : ` (${whom})`),
                   `${duration(start)} to ${duration(end)}: ${duration(end - start)}`];
    lines.push(last < 0 ? "not ended" : `ended by ${timeline.kind(last)} ${timeline.detail(last)}`);
    return lines.join("\n");
  }

  point(event) {
    const tip = element("tip");
    if (this.drag !== undefined) {
      const by = (event.offsetX - this.drag.x) / (this.width - this.gutter) * (this.drag.to - this.drag.from);
      if (this.drag.moved || Math.abs(event.offsetX - this.drag.x) > 3) {
        this.drag.moved = true;
        this.show(this.drag.from - by, this.drag.to - by);
      }
    }
    const text = this.drag !== undefined && this.drag.moved ? "" : this.describe(this.find(event.offsetX, event.offsetY));
    tip.hidden = text === "";
    if (text !== "") {
      tip.textContent = text;
      const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
      const top = event.clientY + 16 + tip.offsetHeight > window.innerHeight ? event.clientY - tip.offsetHeight - 10
                                                                             : event.clientY + 16;
      tip.style.left = `${Math.max(left, 4)}px`;
      tip.style.top = `${top}px`;
    }
  }

  choose(event) {
    const { span, mark } = this.find(event.offsetX, event.offsetY);
    if (mark !== undefined && mark >= 0) {
      this.chosen(mark);
    } else if (span !== undefined) {
      this.chosen(span.lane.first[span.index]);
    } else {
      this.chosen(Math.min(this.timeline.at(this.timeAt(event.offsetX)), this.timeline.count - 1));
    }
  }

  /* ---- Drawing: at most once for each frame ---- */

  draw() {
    if (this.asked === undefined) {
      this.asked = requestAnimationFrame(() => {
        this.asked = undefined;
        this.paint();
      });
    }
  }

  paint() {
    const context = this.context;
    const colour = colours();
    context.clearRect(0, 0, this.width, this.height);
    context.fillStyle = colour.page;
    context.fillRect(0, 0, this.width, this.height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    const scroll = this.box.scrollTop;
    const first = Math.max(0, Math.floor(scroll / ROW));
    const last = Math.min(this.rows.length, Math.ceil((scroll + this.height) / ROW));
    context.save();
    context.beginPath();
    context.rect(0, AXIS + STRIP, this.width, this.height);
    context.clip();
    for (let index = first; index < last; index++) {
      this.paintRow(this.rows[index], AXIS + STRIP + index * ROW - scroll, colour);
    }
    this.paintLines(colour);
    context.restore();
    this.paintAxis(colour);
    this.paintMarks(colour);
  }

  paintRow({ heading, lane }, y, colour) {
    const context = this.context;
    context.fillStyle = heading === undefined ? colour.ink : colour.soft;
    if (heading !== undefined) {
      context.fillText(heading, 6, y + ROW / 2);
      context.fillStyle = colour.line;
      context.fillRect(0, y + ROW - 1, this.width, 1);
      return;
    }
    if (lane.label === this.highlight) {
      context.fillStyle = colour.bad;
      context.fillText("\u2716", 6, y + ROW / 2);
    }
    context.save();
    context.beginPath();
    context.rect(0, y, this.gutter - 6, ROW);
    context.clip();
    context.fillText(lane.label, 20, y + ROW / 2);
    context.restore();
    context.save();
    context.beginPath();
    context.rect(this.gutter, y, this.width - this.gutter, ROW);
    context.clip();
    this.paintSpans(lane, y, colour);
    if (lane.pings !== undefined) {
      this.paintSpans(lane.pings, y, colour);
    }
    context.restore();
  }

  paintSpans(lane, y, colour) {
    const context = this.context;
    let index = lane.after(this.from);
    while (index < lane.start.length && lane.start[index] <= this.to) {
      const x = Math.max(this.xAt(lane.start[index]), this.gutter - 2);
      const end = Math.min(this.xAt(lane.end[index]), this.width + 2);
      const width = Math.max(end - x, 1);
      drawSpan(context, colour, lane.kind[index], x, y, width);
      if (width > 30 && lane.kind[index] === LEASED) {
        context.fillStyle = colour["on-leased"];
        context.fillText(this.timeline.text(lane.text[index]), x + 4, y + ROW / 2, width - 8);
      }
      if (end - x < 1) {
        /* Whatever else is in this pixel is as good as drawn. */
        index = Math.max(index + 1, lane.after(this.timeAt(Math.floor(x) + 1)));
      } else {
        index++;
      }
    }
  }

  paintLines(colour) {
    const context = this.context;
    context.setLineDash([4, 3]);
    context.strokeStyle = colour.bad;
    for (const { time } of this.failures) {
      this.line(this.xAt(time));
    }
    context.setLineDash([]);
    if (this.selected >= 0) {
      context.strokeStyle = colour.focus;
      this.line(this.xAt(this.timeline.time[this.selected]));
    }
  }

  line(x) {
    if (x >= this.gutter) {
      this.context.beginPath();
      this.context.moveTo(x, AXIS);
      this.context.lineTo(x, this.height);
      this.context.stroke();
    }
  }

  paintAxis(colour) {
    const context = this.context;
    const step = roundStep(this.to - this.from, Math.max(2, (this.width - this.gutter) / 110));
    context.fillStyle = colour.panel;
    context.fillRect(0, 0, this.width, AXIS);
    context.fillStyle = colour.ink;
    for (let time = Math.ceil(this.from / step) * step; time <= this.to; time += step) {
      const x = this.xAt(time);
      context.fillRect(x, AXIS - 5, 1, 5);
      const text = duration(Math.round(time), 6);
      const width = context.measureText(text).width;
      context.fillText(text, Math.min(x + 3, this.width - width - 2), AXIS / 2 - 1);
    }
  }

  paintMarks(colour) {
    const context = this.context;
    context.fillStyle = colour.soft;
    context.fillText("events", 6, AXIS + STRIP / 2);
    for (const sort of ["sweep", "fault", "step", "failure"]) {
      let drawn = -10;
      for (const event of this.follower.marks[sort]) {
        const time = this.timeline.time[event];
        const x = this.xAt(time);
        if (time >= this.from && time <= this.to && x - drawn >= 3) {
          drawMark(context, colour, sort, x, AXIS + STRIP / 2);
          drawn = x;
        }
      }
    }
    for (const { time } of this.failures) {
      if (time >= this.from && time <= this.to) {
        drawMark(context, colour, "failure", this.xAt(time), AXIS + STRIP / 2);
      }
    }
  }
}
