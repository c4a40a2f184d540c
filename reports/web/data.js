/* data.js - reads what is embedded in the page: the summary, and packed timelines
 * (reports/packed.h says how they are packed). */

const MS = 1e6, SECOND = 1e9;

function element(id) {
  return document.getElementById(id);
}

/* A new element: make("p", { class: "x" }, "text", child, ...). */
function make(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* As poolproof prints durations: "55ms", "1.5s", "1h2m3s"; at most `digits` decimals. */
function duration(ns, digits = 9) {
  const trimmed = (value) => String(Number(value.toFixed(digits)));
  if (ns < 0) {
    return "-" + duration(-ns, digits);
  }
  if (ns === 0) {
    return "0s";
  }
  if (ns < 1000) {
    return trimmed(ns) + "ns";
  }
  if (ns < MS) {
    return trimmed(ns / 1000) + "µs";
  }
  if (ns < SECOND) {
    return trimmed(ns / MS) + "ms";
  }
  if (ns < 60 * SECOND) {
    return trimmed(ns / SECOND) + "s";
  }
  const minutes = Math.floor(ns / (60 * SECOND));
  const rest = trimmed((ns - minutes * 60 * SECOND) / SECOND) + "s";
  return minutes < 60 ? `${minutes}m${rest}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${rest}`;
}

/* Numbers in groups of three, the same in every locale. */
function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function titleOf(scenario) {
  const name = scenario.variant === "" ? scenario.name : `${scenario.name} [${scenario.variant}]`;
  return scenario.mode === "live" ? `${name} (live)` : name;
}

/* ---- Packed timelines --------------------------------------------------------------------- */

function fromBase64(text) {
  if (Uint8Array.fromBase64 !== undefined) {
    return Uint8Array.fromBase64(text);
  }
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    bytes[i] = raw.charCodeAt(i);
  }
  return bytes;
}

async function inflate(text) {
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* A shape's text, "kind#number@time?json...", as { kind, fields: [{ name, isNumber, isTime }],
 * places: where a field of a name is among them }. */
function parseShape(text) {
  const parts = text.split(/(?=[#@?])/);
  const fields = parts.slice(1).map((part) => ({ name: part.slice(1), isNumber: part[0] !== "?", isTime: part[0] === "@" }));
  return { kind: parts[0], fields, places: new Map(fields.map((field, place) => [field.name, place])) };
}

class Timeline {
  constructor(bytes, count) {
    this.count = count;
    this.time = new Float64Array(count);
    this.shape = new Uint16Array(count);
    this.account = new Float64Array(count);
    this.conn = new Uint32Array(count);
    this.op = new Uint32Array(count);
    this.first = new Uint32Array(count); /* of its values */
    this.values = new Float64Array(count * 3 + 16);
    this.shapes = [null];
    /* Texts stay bytes until someone reads them: there may be a million. */
    this.bytes = bytes;
    this.textAt = [0];
    this.textEnd = [0];
    this.decoder = new TextDecoder();
    this.read(bytes);
  }

  text(number) {
    return this.decoder.decode(this.bytes.subarray(this.textAt[number], this.textEnd[number]));
  }

  /* For the number of each text whether `part` (in lower case) is in it; "" is in all. */
  textsWith(part) {
    return part === "" ? new Uint8Array(this.textAt.length).fill(1)
      : Uint8Array.from(this.textAt, (unused, number) => this.text(number).toLowerCase().includes(part) ? 1 : 0);
  }

  /* -1: there is none. Compares bytes, which is quicker than to decode all. */
  numberOf(text) {
    const wanted = new TextEncoder().encode(text);
    for (let number = 1; number < this.textAt.length; number++) {
      const at = this.textAt[number];
      let same = this.textEnd[number] - at === wanted.length;
      for (let i = 0; same && i < wanted.length; i++) {
        same = this.bytes[at + i] === wanted[i];
      }
      if (same) {
        return number;
      }
    }
    return -1;
  }

  read(bytes) {
    let at = 0, used = 0, now = 0;
    const number = () => {
      let byte = bytes[at++];
      let value = byte & 0x7f;
      for (let scale = 128; byte >= 0x80; scale *= 128) {
        byte = bytes[at++];
        value += (byte & 0x7f) * scale;
      }
      return value;
    };
    const signed = () => {
      const value = number();
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    };
    const text = () => {
      const index = number();
      if (index === this.textAt.length) {
        const length = number();
        this.textAt.push(at);
        at += length;
        this.textEnd.push(at);
      }
      return index;
    };
    const shapeNumber = () => {
      const index = number();
      if (index === this.shapes.length) {
        const length = number();
        this.shapes.push(parseShape(this.decoder.decode(bytes.subarray(at, at + length))));
        at += length;
      }
      return index;
    };
    const time = () => {
      const away = signed();
      return away === 0 ? 0 : away > 0 ? now + away - 1 : now + away;
    };
    for (let i = 0; i < this.count; i++) {
      now += number();
      this.time[i] = now;
      const shape = shapeNumber();
      this.shape[i] = shape;
      this.account[i] = signed();
      this.conn[i] = text();
      this.op[i] = text();
      this.first[i] = used;
      const fields = this.shapes[shape].fields;
      if (used + fields.length > this.values.length) {
        const larger = new Float64Array(this.values.length * 2);
        larger.set(this.values);
        this.values = larger;
      }
      for (let f = 0; f < fields.length; f++) {
        this.values[used++] = fields[f].isTime ? time() : fields[f].isNumber ? signed() : text();
      }
    }
  }

  kind(i) {
    return this.shapes[this.shape[i]].kind;
  }

  /* A detail of event `i`; undefined when it has none of that name. */
  value(i, name) {
    const shape = this.shapes[this.shape[i]];
    const place = shape.places.get(name);
    if (place === undefined) {
      return undefined;
    }
    const value = this.values[this.first[i] + place];
    return shape.fields[place].isNumber ? value : JSON.parse(this.text(value));
  }

  /* The details of event `i` as a person reads them. */
  detail(i) {
    return this.shapes[this.shape[i]].fields.map((field) => {
      const value = this.value(i, field.name);
      return field.name.endsWith("_ns") ? `${field.name.slice(0, -3)}=${duration(value)}`
                                        : `${field.name}=${value}`;
    }).join(" ");
  }

  /* The first event at or after `time`. */
  at(time) {
    let low = 0, high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

async function readTimeline(index, count) {
  const holder = element(`timeline-${index}`);
  return holder === null ? null : new Timeline(await inflate(holder.textContent), count);
}
