#!/usr/bin/env node
// Drives one implementation and prints one JSON line a scenario: seeded requests, the same for every implementation.
//   node bench/drive/drive.mjs --base URL --map bench/drive/maps/X.mjs --calls N --scenarios get,list [--pid SERVER]
// Reads first, then writes: they grow the database. Before timing, one answer of get, list, agents and recs is checked.
// `errors` counts statuses from 400, timeouts and socket errors. With --pid: CPU seconds a second of the server's process
// tree, of the driver with wrk, of everybody else; server_cpu_ms_per_request is what a noisy machine changes least.
// wrk's latencies are closed loop (a slow server slows its own load); paced ones count from when a request was due.
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ALL = ["get", "list", "agents", "recs", "recs-filtered", "paced", "feed", "mix", "post", "bulk"];
const { values: o } = parseArgs({
  options: {
    base: { type: "string" },
    map: { type: "string", default: path.join(HERE, "maps/fastapi.mjs") },
    calls: { type: "string", default: "10000" },
    agents: { type: "string", default: "100" },
    scenarios: { type: "string", default: ALL.join(",") },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "32" },
    rate: { type: "string", default: "150" }, // paced requests a second
    sockets: { type: "string", default: "1000" },
    broadcasts: { type: "string", default: "30" },
    pid: { type: "string" }, // the server's pids, commas between: their trees' CPU and memory are reported
    part: { type: "string", multiple: true, default: [] }, // NAME=PID,PID: what else works for it, its CPU a request
    label: { type: "string", default: "" }, // free text, e.g. "200k w2 rep1"
    seed: { type: "string", default: "7" },
    key: { type: "string" }, // sent as Authorization: Bearer
    stall: { type: "string", default: "0" }, // ms for which the server is stopped in the middle of paced
    peak: { type: "string", default: "1500" }, // ramp: from --rate to this and back
    rise: { type: "string", default: "60" }, // s
    hold: { type: "string", default: "60" }, // s
    slices: { type: "string", default: "12" }, // ramp: figures for each of so many equal times
  },
});
if (!o.base) throw new Error("--base http://127.0.0.1:PORT is needed");
const map = (await import(pathToFileURL(path.resolve(o.map)))).default;
if (o.key) map.headers = { ...map.headers, authorization: `Bearer ${o.key}` };
const base = new URL(o.base);
const N = +o.calls,
  M = +o.agents,
  SECONDS = +o.seconds,
  CONNS = +o.connections;
const WARM = 3; // seconds before wrk is measured
const MARK = "@@UID0000000@@";
const tmp = mkdtempSync(path.join(os.tmpdir(), "drive-"));
process.on("exit", () => rmSync(tmp, { recursive: true, force: true }));

// ---- random requests (seeded: every implementation gets the same ones) ------
let state = (+o.seed * 2654435761) >>> 0 || 1;
const rnd = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const int = (n) => Math.floor(rnd() * n);
const salt = () =>
  Math.floor(Math.random() * 36 ** 6)
    .toString(36)
    .padStart(6, "0");
const END = Date.UTC(2025, 5, 30),
  DAY = 86400e3; // the seed's two years end here

const reqGet = () => map.getCall(map.callId(int(N)));
const reqList = () => {
  const from = END - DAY * (90 + rnd() * 640);
  const min = -0.5 + rnd() * 0.5;
  return map.listCalls({
    agentId: map.agentId(int(M)),
    from: new Date(from).toISOString(),
    to: new Date(from + 90 * DAY).toISOString(),
    minSentiment: +min.toFixed(2),
    maxSentiment: +(min + 0.6).toFixed(2),
    limit: 20,
    offset: 0,
  });
};
const reqAgents = () => map.agents();
const reqRecs = () => map.recommendations(map.callId(int(N)));
// One agent's calls of 180 days: some 25 in ten thousand.
const reqRecsFiltered = () => {
  const from = END - DAY * (180 + rnd() * 550);
  return map.recommendations(map.callId(int(N)), {
    agentId: map.agentId(int(M)),
    from: new Date(from).toISOString(),
    to: new Date(from + 180 * DAY).toISOString(),
  });
};
const LINES = [
  "Agent: Thanks for calling, how can I help you with your contract today?",
  "Customer: Hi, I have a question about the router, it does not fit our invoice and it is slow.",
  "Agent: I understand, let me look at the license details on your account.",
  "Customer: The training was great last year and we were happy with it, thank you.",
  "Agent: We can offer a better price on the upgrade plan if you also take the module.",
  "Customer: Honestly the dashboard is too expensive compared with the one we have now.",
  "Agent: Would a demo of the dashboard with your colleagues help you decide?",
  "Customer: Yes, please send the offer for the upgrade and the training, that sounds good.",
];
const record = (id = `n-${MARK}`) => {
  let t = "";
  while (t.length < 2950) t += (t ? "\n" : "") + LINES[int(LINES.length)];
  return {
    call_id: id,
    agent_id: map.agentId(int(M)),
    customer_id: `cust-${int(N)}`,
    language: "en",
    start_time: new Date(END - rnd() * DAY * 730).toISOString(),
    duration_seconds: 60 + int(2000),
    transcript: t,
  };
};
const reqPost = () => map.createCall(record());
const reqBulk = () => map.bulk(Array.from({ length: 1000 }, (_, i) => record(`b-${MARK}-${i}`)));
const many = (n, f) => Array.from({ length: n }, f);
// Every line a text that the model has not seen.
const newRecord = () => {
  const { transcript, ...call } = record();
  const lines = transcript.split("\n").map((line, i) => `${line.slice(0, -1)}, reference ${MARK}-${i}.`);
  return { ...call, transcript: lines.join("\n") };
};
const reqNewPost = () => map.createCall(newRecord());
const SCALE = [reqGet, reqList, reqPost, reqGet, reqRecs, reqGet, reqList, reqPost, reqGet, reqAgents];
const scaleRows = () => many(2000, (_, i) => SCALE[i % SCALE.length]()); // 40 % get, 20 % list and post, 10 % agents and recs
const mixRows = () => many(1000, (_, i) => [reqGet, reqList, reqGet, reqList, reqPost][i % 5]()); // 80/20

function raw(r) {
  const body = r.body === undefined ? null : typeof r.body === "string" ? r.body : JSON.stringify(r.body);
  const h = { host: base.host, accept: "application/json", ...map.headers, ...r.headers };
  if (body !== null)
    Object.assign(h, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  return `${r.method ?? "GET"} ${r.path} HTTP/1.1\r\n${Object.entries(h)
    .map(([k, v]) => `${k}: ${v}`)
    .join("\r\n")}\r\n\r\n${body ?? ""}`;
}

// ---- what the machine and the server did meanwhile ---------------------------
const HZ = 100;
const stat = (pid) => {
  const s = readFileSync(`/proc/${pid}/stat`, "utf8");
  return s.slice(s.lastIndexOf(")") + 2).split(" "); // [1] ppid, [11] utime, [12] stime, [13] cutime, [14] cstime
};
function tree(roots) {
  const kids = new Map();
  for (const d of readdirSync("/proc")) {
    if (!/^\d+$/.test(d)) continue;
    try {
      const p = stat(d)[1];
      kids.set(p, [...(kids.get(p) ?? []), d]);
    } catch {}
  }
  const all = [];
  for (const todo = String(roots).split(","); todo.length; ) {
    const p = todo.pop();
    all.push(p);
    todo.push(...(kids.get(p) ?? []));
  }
  return all;
}
const PARTS = o.part.map((part) => part.split("="));
function seconds(pids) {
  let sum = 0;
  for (const p of pids) {
    try {
      const s = stat(p);
      sum += (+s[11] + +s[12]) / HZ;
    } catch {}
  }
  return sum;
}
function reading() {
  const cpu = readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
  const me = stat("self");
  const r = {
    t: performance.now(),
    busy: (cpu.slice(0, 8).reduce((a, b) => a + b) - cpu[3] - cpu[4]) / HZ,
    self: (+me[11] + +me[12] + +me[13] + +me[14]) / HZ,
  };
  r.parts = PARTS.map(([, pids]) => seconds(tree(pids)));
  if (o.pid) {
    const pids = tree(o.pid);
    r.server = seconds(pids);
    r.rss = 0;
    for (const p of pids) {
      try {
        r.rss += +(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, "utf8"))?.[1] ?? 0) / 1024;
      } catch {}
    }
  }
  return r;
}
function usage(a, b) {
  const wall = (b.t - a.t) / 1000,
    f = (x) => +(x / wall).toFixed(3);
  const u = { wall_s: wall, driver_cores: f(b.self - a.self) };
  if (o.pid)
    Object.assign(u, {
      server_cores: f(b.server - a.server),
      other_cores: f(b.busy - a.busy - (b.server - a.server) - (b.self - a.self)),
      server_rss_mb: Math.round(b.rss),
    });
  return u;
}
async function report(scenario, tool, f) {
  let a = reading();
  const warmed = () => {
    a = reading();
  };
  let r;
  try {
    r = await f(warmed);
  } catch (e) {
    r = { failed: String(e?.message ?? e) };
  }
  const b = reading();
  const u = usage(a, b);
  // the server's CPU for one request: what a noisy machine changes least
  if (o.pid && r.requests) u.server_cpu_ms_per_request = +((1000 * u.server_cores * u.wall_s) / r.requests).toFixed(3);
  if (r.requests) {
    for (const [i, [part]] of PARTS.entries())
      u[`${part}_cpu_ms_per_request`] = +((1000 * (b.parts[i] - a.parts[i])) / r.requests).toFixed(3);
  }
  delete u.wall_s;
  console.log(JSON.stringify({ impl: map.name, label: o.label, calls: N, scenario, tool, ...r, ...u }));
}
const pct = (sorted, p) =>
  sorted.length ? +sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)].toFixed(3) : null;
const dist = (ms) => {
  const s = Float64Array.from(ms).toSorted();
  return { p50_ms: pct(s, 50), p95_ms: pct(s, 95), p99_ms: pct(s, 99), max_ms: pct(s, 100) };
};

// ---- wrk: steady closed loop --------------------------------------------------
async function wrk(warmed, requests, seconds = SECONDS, connections = CONNS) {
  const file = path.join(tmp, "requests"),
    out = path.join(tmp, "out.json");
  const w = createWriteStream(file);
  for (const r of requests) {
    const b = Buffer.from(raw(r));
    w.write(`${b.length}\n`);
    w.write(b);
  }
  await new Promise((ok) => w.end(ok));
  const run = (s) =>
    new Promise((ok, bad) => {
      const p = spawn(
        "wrk",
        ["-t1", `-c${connections}`, `-d${s}s`, "--timeout", "30s", "-s", path.join(HERE, "load.lua"), base.origin],
        {
          env: { ...process.env, DRIVE_FILE: file, DRIVE_OUT: out, DRIVE_SALT: salt() },
          stdio: ["ignore", "ignore", "pipe"],
        },
      );
      let err = "";
      p.stderr.on("data", (d) => (err += d));
      p.on("error", bad);
      p.on("exit", (c) => (c === 0 ? ok() : bad(new Error(`wrk ${c}: ${err.slice(0, 300)}`))));
    });
  await run(WARM); // time for a compiler at run time to do its work
  warmed();
  await run(seconds);
  const j = JSON.parse(readFileSync(out, "utf8"));
  return {
    connections,
    seconds: +(j.wall_us / 1e6).toFixed(2),
    requests: j.requests,
    rps: +(j.requests / (j.wall_us / 1e6)).toFixed(1),
    p50_ms: j.p50,
    p95_ms: j.p95,
    p99_ms: j.p99,
    max_ms: j.max,
    errors: j.e_connect + j.e_read + j.e_write + j.e_status + j.e_timeout,
    error_kinds: { status: j.e_status, timeout: j.e_timeout, socket: j.e_connect + j.e_read + j.e_write },
  };
}

// ---- Node client: slow requests, open loop ------------------------------------
// First in, first out: an open loop then uses every connection in turn. None is closed for being idle: a server with
// much to do takes in one new connection a turn of its loop, and what is measured would be that.
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNS, maxFreeSockets: CONNS, scheduling: "fifo" });
function send(r, timeout = 120e3) {
  return new Promise((ok) => {
    const body = r.body === undefined ? null : typeof r.body === "string" ? r.body : JSON.stringify(r.body);
    const headers = { ...map.headers, ...r.headers };
    if (body !== null)
      Object.assign(headers, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    const req = http.request(
      { host: base.hostname, port: base.port, method: r.method ?? "GET", path: r.path, headers, agent, timeout },
      (res) => {
        const parts = [];
        res.on("data", (d) => parts.push(d));
        res.on("end", () => ok({ status: res.statusCode, text: () => Buffer.concat(parts).toString() }));
      },
    );
    req.on("timeout", () => req.destroy(new Error("timeout")));
    req.on("error", (e) => ok({ status: 0, error: e.message, text: () => "" }));
    req.end(body);
  });
}
let uid = 0;
const fresh = (r) => {
  const s = salt(),
    id = `${s}${String(++uid).padStart(8, "0")}`;
  return {
    ...r,
    body:
      r.body === undefined
        ? undefined
        : (typeof r.body === "string" ? r.body : JSON.stringify(r.body)).replaceAll(MARK, id),
    id,
  };
};
async function closed(make, { connections, seconds = SECONDS, atLeast = 5, cap = 60 }) {
  const ms = [];
  let errors = 0;
  const t0 = performance.now();
  let started = 0;
  const go = () => {
    const t = (performance.now() - t0) / 1000;
    return t < cap && (t < seconds || started < atLeast);
  };
  await Promise.all(
    many(connections, async () => {
      while (go()) {
        started++;
        const r = make();
        const s = performance.now();
        const a = await send(r);
        ms.push(performance.now() - s);
        if (a.status < 200 || a.status >= 400) errors++;
      }
    }),
  );
  const sec = (performance.now() - t0) / 1000;
  return {
    connections,
    seconds: +sec.toFixed(2),
    requests: ms.length,
    rps: +(ms.length / sec).toFixed(3),
    ...dist(ms),
    errors,
  };
}
// Sends what `make` makes when each is due (ms from the start, rising), whatever the server does; `answered(due, ms, status)`.
async function openLoop(make, dues, answered) {
  await Promise.all(many(CONNS, () => send(reqGet()))); // opens the connections
  const waits = [],
    t0 = performance.now() + 50;
  let next = 0,
    inFlight = 0,
    peak = 0,
    ticked = t0,
    late = 0; // the driver's own lateness is in the latencies too
  const one = async (due) => {
    const a = await send(make(), 30e3);
    inFlight--;
    answered(due, performance.now() - t0 - due, a.status);
  };
  await new Promise((done) => {
    const tick = () => {
      const now = performance.now();
      late = Math.max(late, now - ticked);
      ticked = now;
      while (next < dues.length && t0 + dues[next] <= now) {
        peak = Math.max(peak, ++inFlight);
        waits.push(one(dues[next++]));
      }
      if (next < dues.length) setTimeout(tick, 1);
      else done();
    };
    tick();
  });
  await Promise.all(waits);
  return { seconds: (performance.now() - t0) / 1000, peak_in_flight: peak, driver_late_ms: Math.round(late) };
}
// Told to come back: neither good nor an error.
const REFUSED = new Set([429, 503]);
async function paced(make, rate, seconds) {
  const ms = [],
    refused = [];
  let errors = 0;
  if (+o.stall > 0) {
    // The proof of the harness: a server that stands still must show in the percentiles.
    setTimeout(() => {
      const pids = tree(o.pid);
      for (const p of pids) process.kill(+p, "SIGSTOP");
      setTimeout(() => {
        for (const p of pids) process.kill(+p, "SIGCONT");
      }, +o.stall);
    }, seconds * 500);
  }
  const dues = many(Math.round(rate * seconds), (_, i) => (i * 1000) / rate);
  const loop = await openLoop(make, dues, (_, took, status) => {
    (REFUSED.has(status) ? refused : ms).push(took);
    if (status < 200 || (status >= 400 && !REFUSED.has(status))) errors++;
  });
  return {
    rate,
    connections: CONNS,
    stall_ms: +o.stall,
    requests: ms.length,
    rps: +(ms.length / loop.seconds).toFixed(1),
    ...dist(ms),
    errors,
    refused: refused.length,
    refused_p99_ms: dist(refused).p99_ms,
    ...loop,
    seconds: +loop.seconds.toFixed(2),
  };
}
// A business day in minutes: the rate rises evenly from --rate to --peak, holds, and falls back.
async function ramp(make) {
  const [low, high, rise, hold] = [+o.rate, +o.peak, +o.rise, +o.hold];
  const total = 2 * rise + hold;
  const rateAt = (t) => low + (high - low) * Math.min(1, t / rise, (total - t) / rise);
  const dues = [];
  for (let t = 0; t < total; t += 1 / rateAt(t)) dues.push(t * 1000);
  const slices = many(+o.slices, (_, i) => ({
    from_s: (i * total) / +o.slices,
    ms: [],
    refused: 0,
    errors: 0,
    offered: 0,
  }));
  const sliceOf = (due) => slices[Math.min(slices.length - 1, Math.floor((due / 1000 / total) * slices.length))];
  for (const due of dues) sliceOf(due).offered++;
  const began = Date.now();
  const loop = await openLoop(make, dues, (due, took, status) => {
    const slice = sliceOf(due);
    if (REFUSED.has(status)) slice.refused++;
    else slice.ms.push(took);
    if (status < 200 || (status >= 400 && !REFUSED.has(status))) slice.errors++;
  });
  return {
    began,
    total_s: total,
    requests: slices.reduce((sum, s) => sum + s.ms.length, 0),
    ...loop,
    slices: slices.map(({ from_s, ms, refused, errors, offered }) => {
      const rate = +((offered * slices.length) / total).toFixed(1);
      return { from_s, rate, admitted: ms.length - errors, refused, errors, ...dist(ms) };
    }),
  };
}

// ---- WebSocket -----------------------------------------------------------------
const wsUrl = (p) => `ws://${base.host}${p}`;
async function openMany(n, pathOf, onMessage) {
  const socks = [],
    connect = [];
  let failed = 0,
    next = 0;
  const t0 = performance.now();
  await Promise.all(
    many(50, async () => {
      while (next < n) {
        const i = next++;
        const s = performance.now();
        await new Promise((ok) => {
          const ws = new WebSocket(wsUrl(pathOf(i)), {
            perMessageDeflate: false,
            headers: map.headers,
            handshakeTimeout: 30e3,
          });
          ws.on("open", () => {
            connect.push(performance.now() - s);
            socks.push(ws);
            ok();
          });
          ws.on("message", (d) => onMessage(i, d));
          ws.on("error", () => {
            failed++;
            ok();
          });
        });
      }
    }),
  );
  return { socks, connect, failed, sec: (performance.now() - t0) / 1000 };
}
async function feed(n, broadcasts) {
  const sent = new Map(),
    got = new Map(),
    lat = [];
  const base = map.feedBase ? map.feedBase(JSON.parse((await send(map.feedState())).text())) : 0;
  let posted = 0;
  const { socks, connect, failed, sec } = await openMany(
    n,
    () => map.feed().path,
    (i, d) => {
      const now = performance.now();
      for (const id of map.feedPosts(d.toString(), { base, posted, socket: i })) {
        if (sent.has(id)) {
          lat.push(now - sent.get(id));
          got.set(id, (got.get(id) ?? 0) + 1);
        }
      }
    },
  );
  if (map.feedHello) for (const w of socks) w.send(map.feedHello);
  await new Promise((k) => setTimeout(k, 1500));
  let errors = 0;
  const full = [];
  for (let b = 0; b < broadcasts; b++) {
    const r = fresh(reqPost()),
      id = map.feedId ? map.feedId(b) : `n-${r.id}`;
    const t = performance.now();
    sent.set(id, t);
    posted = b + 1;
    const a = await send(r);
    if (a.status >= 400 || !a.status) errors++;
    while ((got.get(id) ?? 0) < socks.length && performance.now() - t < 1000)
      await new Promise((k) => setTimeout(k, 2));
    if ((got.get(id) ?? 0) >= socks.length) full.push(performance.now() - t);
    await new Promise((k) => setTimeout(k, 100));
  }
  await new Promise((k) => setTimeout(k, 300));
  const alive = socks.filter((w) => w.readyState === WebSocket.OPEN).length;
  const expected = socks.length * broadcasts,
    d = dist(lat),
    c = dist(connect);
  for (const w of socks) w.terminate();
  return {
    sockets: socks.length,
    connect_failed: failed,
    still_open: alive,
    connects_per_s: +(socks.length / sec).toFixed(0),
    connect_p50_ms: c.p50_ms,
    connect_p99_ms: c.p99_ms,
    broadcasts,
    delivered: lat.length,
    delivered_ratio: +(lat.length / expected).toFixed(4),
    ...d,
    all_got_it: full.length,
    all_got_it_p50_ms: dist(full).p50_ms,
    errors,
  };
}

// ---- scenarios -------------------------------------------------------------------
async function verify() {
  const id = map.callId(int(N));
  const ask = async (what, r, ...more) => {
    const a = await send(r);
    if (a.status !== 200 || !map.check[what](JSON.parse(a.text()), ...more))
      throw new Error(`${what}: unexpected answer ${a.status} ${a.text().slice(0, 300)}`);
  };
  await ask("get", map.getCall(id), id);
  if (o.scenarios === "get") return; // all that the bare server answers
  await ask("list", reqList());
  await ask("agents", reqAgents(), M);
  // Not always: without its cache the peer needs half a minute for it.
  if (/recs|scale/.test(o.scenarios)) await ask("recs", map.recommendations(id));
}
// 0: below 250 ms, wrk can drive it; 1: slow; 2: so slow (above 3 s) that a few requests must do
const slow = async (r) => {
  for (let i = 0; ; i++) {
    const t = performance.now();
    await send(r());
    const ms = performance.now() - t;
    if (ms > 3000) return 2;
    if (i === 1) return ms > 250 ? 1 : 0;
  }
};
const paceOf = (r, name) => async () => {
  const s = await slow(r);
  if (s === 0) return report(name, "wrk", (warmed) => wrk(warmed, many(name === "agents" ? 1 : 5000, r), SECONDS, 8));
  return report(name, "node", () =>
    closed(r, s === 2 ? { connections: 1, seconds: 0.1, atLeast: 2 } : { connections: 2, atLeast: 4 }),
  );
};
const run = {
  get: () => report("get", "wrk", (warmed) => wrk(warmed, many(20000, reqGet))),
  list: () => report("list", "wrk", (warmed) => wrk(warmed, many(5000, reqList))),
  agents: paceOf(reqAgents, "agents"),
  recs: paceOf(reqRecs, "recs"),
  "recs-filtered": paceOf(reqRecsFiltered, "recs-filtered"),
  post: () => report("post", "wrk", (warmed) => wrk(warmed, many(200, reqPost))),
  bulk: () => {
    const t = reqBulk();
    return report("bulk", "node", () =>
      closed(() => fresh(t), { connections: 2 }).then((r) => ({ ...r, calls_per_s: Math.round(r.rps * 1000) })),
    );
  },
  scale: () => report("scale", "wrk", (warmed) => wrk(warmed, scaleRows())),
  ramp: () => {
    const pool = many(1000, (_, i) => [reqGet, reqList, reqGet, reqList, reqNewPost][i % 5]());
    let i = 0;
    return report("ramp", "node", () => ramp(() => fresh(pool[i++ % pool.length])));
  },
  mix: () => report("mix", "wrk", (warmed) => wrk(warmed, mixRows())),
  paced: () => {
    const pool = mixRows();
    let i = 0;
    return report("paced", "node", () => paced(() => fresh(pool[i++ % pool.length]), +o.rate, 2 * SECONDS));
  },
  peak: () => {
    const pool = mixRows();
    let i = 0;
    return report("peak", "node", () => closed(() => fresh(pool[i++ % pool.length]), { connections: CONNS }));
  },
  feed: () => report("feed", "node", () => feed(+o.sockets, +o.broadcasts)),
};
await verify();
for (const s of o.scenarios.split(",")) {
  if (!run[s]) throw new Error(`no scenario ${s}; there are ${ALL.join(", ")}`);
  await run[s]();
}
process.exit(0);
