/* lanes.js - follows a timeline once: who had which conn when, how many of each at a time, how
 * long things took. */

const WAITING = 0, DIALING = 1, IDLE = 2, LEASED = 3, PINGING = 4, CLOSING = 5;
const SPAN_NAMES = ["waiting", "dialing", "idle", "leased", "pinging", "closing"];

/* Up to so many requests have a lane each, with what they wait for and hold; more share lanes, one
 * after the other, and only while they wait. */
const MOST_OWN_LANES = 300;
/* Gauges are kept as the most of each of so many slices of the time. */
const SLICES = 1000;

const MARKS = {
  step_performed: "step",
  clock_jumped: "fault", upstream_changed: "fault", peer_closed: "fault", upstream_refused: "fault",
  dial_failed: "fault", ping_failed: "fault", lease_lost: "fault",
  ping_sweep_started: "sweep", cleanup_sweep_started: "sweep",
  expectation_failed: "failure", invariant_violated: "failure",
};

class Lane {
  constructor(group, label, account) {
    this.group = group;
    this.label = label;
    this.account = account;
    this.start = [];
    this.end = [];
    this.kind = [];
    this.text = []; /* number of the text of whom it concerns */
    this.first = []; /* event with which it began */
    this.last = []; /* event with which it ended; -1: it did not */
  }

  add(start, end, kind, text, first, last) {
    this.start.push(start);
    this.end.push(end);
    this.kind.push(kind);
    this.text.push(text);
    this.first.push(first);
    this.last.push(last);
  }

  /* The first span that ends after `time`, among spans that lie one after the other. */
  after(time) {
    let low = 0, high = this.end.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end[middle] <= time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/* Lanes that are used again by the next one that needs one. */
class SharedLanes {
  constructor(group) {
    this.group = group;
    this.lanes = [];
    this.free = [];
  }

  take() {
    if (this.free.length > 0) {
      return this.free.pop();
    }
    const lane = new Lane(this.group, `${this.lanes.length + 1}`, 0);
    this.lanes.push(lane);
    return lane;
  }

  give(lane) {
    this.free.push(lane);
  }
}

/* What lasts no time (a conn that is released and granted again at once) does not count. */
class Gauge {
  constructor(length) {
    this.length = Math.max(length, 1);
    this.now = 0;
    this.since = 0;
    this.most = new Float64Array(SLICES);
  }

  sliceOf(time) {
    return Math.min(SLICES - 1, Math.floor(time / this.length * SLICES));
  }

  change(time, by) {
    if (time > this.since) {
      const last = this.sliceOf(time);
      for (let slice = this.sliceOf(this.since); slice <= last; slice++) {
        this.most[slice] = Math.max(this.most[slice], this.now);
      }
      this.since = time;
    }
    this.now += by;
  }

  finish() {
    this.change(this.length, 0);
  }
}

class Follower {
  constructor(timeline, length) {
    this.timeline = timeline;
    this.length = length;
    this.requests = [];
    this.conns = [];
    this.shared = new SharedLanes("requests");
    this.dialLanes = new SharedLanes("dials");
    this.waiters = new Map();
    this.dials = new Map();
    this.states = new Map();
    this.marks = { step: [], fault: [], sweep: [], failure: [] };
    this.gauges = {};
    for (const name of ["waiting", "leased", "idle", "dialing"]) {
      this.gauges[name] = new Gauge(length);
    }
    this.dialed = new Float64Array(SLICES);
    this.durations = { queue_wait: [], hold: [], dial: [], ping: [] };
    this.accounts = new Set();
    const isAcquire = timeline.shapes.map((shape) => shape !== null && shape.kind === "acquire_started");
    let acquires = 0;
    for (let i = 0; i < timeline.count; i++) {
      acquires += isAcquire[timeline.shape[i]] ? 1 : 0;
    }
    this.own = acquires <= MOST_OWN_LANES;
  }

  run() {
    const timeline = this.timeline;
    const actions = timeline.shapes.map((shape) => shape && this[shape.kind]);
    const marks = timeline.shapes.map((shape) => shape && this.marks[MARKS[shape.kind]]);
    let account = 0;
    for (let i = 0; i < timeline.count; i++) {
      const shape = timeline.shape[i];
      if (timeline.account[i] !== account && timeline.account[i] !== 0) {
        account = timeline.account[i];
        this.accounts.add(account);
      }
      if (marks[shape] !== undefined && marks[shape] !== null) {
        marks[shape].push(i);
      }
      if (actions[shape]) {
        actions[shape].call(this, i, timeline.time[i]);
      }
    }
    this.finish();
    return this;
  }

  /* Operations */

  acquire_started(i, time) {
    const op = this.timeline.op[i];
    let lane;
    if (this.own) {
      lane = new Lane("requests", this.timeline.text(op), this.timeline.account[i]);
      this.requests.push(lane);
    } else {
      lane = this.shared.take();
    }
    this.waiters.set(op, { lane, since: time, first: i });
    this.gauges.waiting.change(time, 1);
  }

  endWait(i, time) {
    const op = this.timeline.op[i];
    const waiter = this.waiters.get(op);
    this.durations.queue_wait.push(this.timeline.value(i, "queue_wait_ns"));
    if (waiter !== undefined) {
      if (time > waiter.since) {
        waiter.lane.add(waiter.since, time, WAITING, op, waiter.first, i);
      }
      this.gauges.waiting.change(time, -1);
    }
    return waiter;
  }

  forget(waiter, i) {
    if (waiter !== undefined && !this.own) {
      this.shared.give(waiter.lane);
    }
    this.waiters.delete(this.timeline.op[i]);
  }

  acquire_granted(i, time) {
    const waiter = this.endWait(i, time);
    const state = this.stateOf(i);
    if (state !== undefined) {
      this.endState(state, i, time);
      state.kind = LEASED;
      state.op = this.timeline.op[i];
      state.first = i;
      state.request = waiter === undefined || !this.own ? undefined : waiter.lane;
      this.gauges.leased.change(time, 1);
    }
    this.forget(waiter, i);
  }

  acquire_failed(i, time) {
    this.forget(this.endWait(i, time), i);
  }

  /* Dials */

  dial_started(i, time) {
    const lane = this.dialLanes.take();
    this.dials.set(this.timeline.value(i, "dial"), { lane, since: time, first: i });
    this.gauges.dialing.change(time, 1);
    this.dialed[Math.min(SLICES - 1, Math.floor(time / Math.max(this.length, 1) * SLICES))]++;
  }

  endDial(i, time) {
    const number = this.timeline.value(i, "dial");
    const dial = this.dials.get(number);
    if (dial !== undefined) {
      dial.lane.add(dial.since, time, DIALING, this.timeline.op[dial.first], dial.first, i);
      this.dialLanes.give(dial.lane);
      this.dials.delete(number);
      this.gauges.dialing.change(time, -1);
    }
  }

  dial_succeeded(i, time) {
    this.durations.dial.push(this.timeline.value(i, "latency_ns"));
    this.endDial(i, time);
  }

  dial_failed(i, time) {
    this.endDial(i, time);
  }

  dial_canceled(i, time) {
    this.endDial(i, time);
  }

  /* Conns */

  keyOf(i) {
    return this.timeline.account[i] * 4294967296 + this.timeline.conn[i];
  }

  stateOf(i) {
    return this.states.get(this.keyOf(i));
  }

  conn_opened(i, time) {
    const lane = new Lane("conns", this.timeline.text(this.timeline.conn[i]), this.timeline.account[i]);
    lane.pings = new Lane("pings", "", lane.account);
    this.conns.push(lane);
    this.states.set(this.keyOf(i), { lane, kind: IDLE, since: time, first: i, op: 0 });
    this.gauges.idle.change(time, 1);
  }

  endState(state, i, time) {
    if (time > state.since || state.kind === LEASED) {
      state.lane.add(state.since, time, state.kind, state.op, state.first, i);
    }
    if (state.kind === LEASED && state.request !== undefined) {
      const conn = i < 0 ? this.timeline.conn[state.first] : this.timeline.conn[i];
      state.request.add(state.since, time, LEASED, conn, state.first, i);
      state.request = undefined;
    }
    if (state.kind === LEASED) {
      this.gauges.leased.change(time, -1);
    } else if (state.kind === IDLE) {
      this.gauges.idle.change(time, -1);
    }
    state.since = time;
  }

  endLease(i, time) {
    this.durations.hold.push(this.timeline.value(i, "held_ns"));
    const state = this.stateOf(i);
    if (state !== undefined && state.kind === LEASED) {
      this.endState(state, i, time);
      state.kind = IDLE;
      state.op = 0;
      state.first = i;
      this.gauges.idle.change(time, 1);
    }
  }

  lease_released(i, time) {
    this.endLease(i, time);
  }

  lease_lost(i, time) {
    this.endLease(i, time);
  }

  ping_started(i, time) {
    const state = this.stateOf(i);
    if (state !== undefined) {
      state.pinged = { since: time, first: i };
    }
  }

  endPing(i, time) {
    const state = this.stateOf(i);
    if (state !== undefined && state.pinged !== undefined) {
      state.lane.pings.add(state.pinged.since, time, PINGING, 0, state.pinged.first, i);
      state.pinged = undefined;
    }
  }

  ping_succeeded(i, time) {
    this.durations.ping.push(this.timeline.value(i, "latency_ns"));
    this.endPing(i, time);
  }

  ping_failed(i, time) {
    this.endPing(i, time);
  }

  ping_canceled(i, time) {
    this.endPing(i, time);
  }

  conn_evicted(i, time) {
    const state = this.stateOf(i);
    if (state !== undefined) {
      this.endState(state, i, time);
      state.kind = CLOSING;
      state.op = 0;
      state.first = i;
    }
  }

  conn_closed(i, time) {
    const state = this.stateOf(i);
    if (state !== undefined) {
      this.endState(state, i, time);
      this.states.delete(this.keyOf(i));
    }
  }

  finish() {
    const end = this.length;
    for (const [op, waiter] of this.waiters) {
      waiter.lane.add(waiter.since, end, WAITING, op, waiter.first, -1);
    }
    for (const dial of this.dials.values()) {
      dial.lane.add(dial.since, end, DIALING, this.timeline.op[dial.first], dial.first, -1);
    }
    for (const state of this.states.values()) {
      if (state.pinged !== undefined) {
        state.lane.pings.add(state.pinged.since, end, PINGING, 0, state.pinged.first, -1);
      }
      this.endState(state, -1, end);
    }
    for (const gauge of Object.values(this.gauges)) {
      gauge.finish();
    }
    this.lanes = (this.own ? this.requests : this.shared.lanes)
      .concat(this.dialLanes.lanes, this.conns);
  }
}
