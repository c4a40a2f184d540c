/* events.js - the list of events: of a million, the forty that are in sight. */

const EVENT_ROW = 22, TALLEST = 8e6; /* px: higher elements are beyond some browsers */

class EventList {
  /* `chosen(event)` is called when one is chosen. */
  constructor({ timeline, failures, chosen }) {
    Object.assign(this, { timeline, failures, chosen });
    this.box = element("events");
    this.space = element("events-space");
    this.selected = -1;
    const quit = new AbortController();
    this.quit = () => quit.abort();
    this.box.addEventListener("scroll", () => this.draw(), { signal: quit.signal });
    this.box.addEventListener("keydown", (event) => this.key(event), { signal: quit.signal });
    this.box.addEventListener("click", (event) => {
      const row = event.target.closest(".event");
      if (row !== null) {
        this.chosen(Number(row.dataset.event));
      }
    }, { signal: quit.signal });
    this.filter({ account: "", who: "", kind: "" });
  }

  filter({ account, who, kind }) {
    const timeline = this.timeline;
    const names = timeline.textsWith(who);
    const kinds = timeline.shapes.map((shape) => shape !== null && (kind === "" || shape.kind === kind));
    const found = new Uint32Array(timeline.count);
    const all = account === "" && who === "" && kind === "";
    let count = 0;
    for (let i = 0; i < timeline.count; i++) {
      if (all || (kinds[timeline.shape[i]] && (account === "" || String(timeline.account[i]) === account) &&
          (who === "" || (timeline.conn[i] !== 0 && names[timeline.conn[i]]) ||
           (timeline.op[i] !== 0 && names[timeline.op[i]])))) {
        found[count++] = i;
      }
    }
    this.found = found.subarray(0, count);
    element("events-count").textContent = count === timeline.count
      ? `${grouped(count)} events` : `${grouped(count)} of ${grouped(timeline.count)} events`;
    this.space.style.height = `${Math.min(count * EVENT_ROW, TALLEST)}px`;
    this.box.scrollTop = 0;
    this.draw();
  }

  /* The position of `event` in the list, or of the first after it. */
  positionOf(event) {
    let low = 0, high = this.found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.found[middle] < event) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  firstInSight() {
    const scrolls = Math.max(1, this.space.offsetHeight - this.box.clientHeight);
    const rows = this.found.length - Math.floor(this.box.clientHeight / EVENT_ROW);
    return Math.max(0, Math.round(this.box.scrollTop / scrolls * Math.max(0, rows)));
  }

  select(event) {
    this.selected = event;
    const position = this.positionOf(event);
    const inSight = Math.floor(this.box.clientHeight / EVENT_ROW);
    const first = this.firstInSight();
    if (position < first || position >= first + inSight) {
      const rows = Math.max(1, this.found.length - inSight);
      const scrolls = Math.max(0, this.space.offsetHeight - this.box.clientHeight);
      this.box.scrollTop = Math.max(0, position - Math.floor(inSight / 2)) / rows * scrolls;
    }
    this.draw();
  }

  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity }[event.key];
    if (by !== undefined && this.found.length > 0) {
      event.preventDefault();
      const now = this.selected < 0 ? -1 : this.positionOf(this.selected);
      this.chosen(this.found[Math.min(Math.max(now + by, 0), this.found.length - 1)]);
    }
  }

  draw() {
    if (this.asked === undefined) {
      this.asked = requestAnimationFrame(() => {
        this.asked = undefined;
        this.paint();
      });
    }
  }

  paint() {
    const timeline = this.timeline;
    const first = this.firstInSight();
    const count = Math.ceil(this.box.clientHeight / EVENT_ROW) + 1;
    const rows = [];
    const top = Math.min(this.box.scrollTop, Math.max(0, this.space.offsetHeight - this.box.clientHeight));
    for (let position = first; position < Math.min(first + count, this.found.length); position++) {
      const i = this.found[position];
      const isFailure = MARKS[timeline.kind(i)] === "failure";
      const cells = [i + 1, duration(timeline.time[i]), timeline.kind(i), timeline.account[i] || "",
                     timeline.text(timeline.conn[i]), timeline.text(timeline.op[i]), timeline.detail(i)];
      rows.push(make("div", {
        class: isFailure ? "event failure" : "event", role: "option", id: `event-${i}`, "data-event": i,
        "aria-selected": i === this.selected ? "true" : "false", "aria-setsize": this.found.length,
        "aria-posinset": position + 1, style: `top:${top + (position - first) * EVENT_ROW}px`,
      }, ...cells.map((cell) => make("span", {}, String(cell)))));
    }
    this.space.replaceChildren(...rows);
    if (this.selected >= 0 && element(`event-${this.selected}`) !== null) {
      this.box.setAttribute("aria-activedescendant", `event-${this.selected}`);
    } else {
      this.box.removeAttribute("aria-activedescendant");
    }
  }
}
