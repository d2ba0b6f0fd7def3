// Products and notices: units with their latest readings and the feed, live. Units are polled, the feed follows the event stream.
const POLL_MS = 3_000, FEED_CHECK_MS = 60_000; // the second is a safety net under the stream
const LATE_MS = 90_000, OFFLINE_MS = 600_000; // no reading for this long: patchy, then offline
const CHARTS = 12, LEAD_MS = 600_000, TAIL_MS = 120_000, GAP_MS = 60_000, CHART_MINUTES = 360, CHART_POINTS = 1_500;
const FIRST_ROWS = matchMedia("(min-width: 860px)").matches ? 30 : 5; // on a phone the notices come after the products
const STATES = { // icon, word, tone; in the order of the filter
  recalled: ["recall", "Recalled", "safety"], critical: ["crit", "Critical", "safety"],
  checking: ["warn", "Recall being checked", "warn"], warning: ["warn", "Needs attention", "warn"],
  update: ["info", "Update offered", "info"], info: ["info", "Info", "info"], unknown: ["unknown", "Unknown", ""], fine: ["ok", "Fine", "ok"],
};
const SEVERITIES = { safety: ["recall", "Safety", "safety"], critical: STATES.critical, warning: ["warn", "Warning", "warn"], info: STATES.info };

const $ = (id) => document.getElementById(id);
const text = (el, value) => { if (el.textContent !== value) el.textContent = value; };
const show = (el, on) => { if (el.hidden === Boolean(on)) el.hidden = !on; };
const style = (el, name) => { if (el.className !== name) el.className = name; };

/** Clone a template and name its parts. */
function stamp(id) {
  const parts = { root: $(id).content.firstElementChild.cloneNode(true) };
  for (const el of parts.root.querySelectorAll("[data-part]")) parts[el.dataset.part] = el;
  return parts;
}

/** Icon, word and tone of a chip, a connection or a note: never colour alone. */
function mark(el, base, [icon, word, tone]) {
  text(el.lastElementChild, word);
  style(el, tone ? `${base} ${tone}` : base);
  const use = el.querySelector("use");
  if (use.getAttribute("href") !== `#i-${icon}`) use.setAttribute("href", `#i-${icon}`);
}

/** Bring the children into this order, moving as few as possible; whoever had the focus keeps it. */
function place(parent, nodes) {
  const focused = document.activeElement;
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  while (at) { const gone = at; at = at.nextElementSibling; gone.remove(); }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

/** Whoever has scrolled into a list reads there: its cards change in place, their order waits. */
const readingBelow = (el) => el.getBoundingClientRect().bottom < 0;

/** Run a task soon, once for many calls, and never twice at a time. */
function coalesced(task, wait = 250) {
  let timer = 0, running = false, again = false;
  const soon = () => { timer ||= setTimeout(run, wait); };
  async function run() {
    timer = 0;
    if (running) { again = true; return; }
    running = true;
    try { await task(); } catch (error) { console.warn(error); }
    running = false;
    if (again) { again = false; soon(); }
  }
  return soon;
}

// ---- Numbers and times: 24-hour clock; number, space, unit ----
let skew = 0; // the server's clock minus ours
const now = () => Date.now() + skew;
const formats = [0, 1, 2].map((n) => new Intl.NumberFormat("en-GB", { minimumFractionDigits: n, maximumFractionDigits: n, signDisplay: "negative" }));
const short = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2, signDisplay: "negative" });
const number = (v, unit) => formats[unit === "%" || Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2].format(v).replace("-", "−");
const plain = (v) => short.format(v).replace("-", "−");
const amount = (shown, unit) => (unit ? `${shown}\u00a0${unit}` : shown);
const many = (n, one, more) => `${plain(n)} ${n === 1 ? one : more}`;
const two = (n) => String(n).padStart(2, "0");
function when(moment) {
  const at = new Date(moment), today = new Date(now()), time = `${at.getHours()}:${two(at.getMinutes())}`;
  if (at.toDateString() === today.toDateString()) return time;
  const year = at.getFullYear() === today.getFullYear() ? {} : { year: "numeric" };
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year })}, ${time}`;
}
const outside = (value, normal) => (value == null || !normal ? "" : value < normal[0] ? "below" : value > normal[1] ? "above" : "");

async function getJson(url) {
  const answer = await fetch(url, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(10_000) });
  if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  if (answer.status === 403) location.assign("/"); // signed in, but not as one of the staff
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const date = Date.parse(answer.headers.get("date"));
  if (date) skew = date - Date.now();
  return answer.json();
}

let announced = 0;
const announce = (words) => { $("announce").textContent = words + (announced++ % 2 ? "\u00a0" : ""); }; // the same words twice are still news

// ---- Units ----
const units = new Map(); // id -> the unit as last fetched
const unitCards = new Map(), filter = { q: "", state: "" };
let rowIds = [], unitsLoaded = false, allRows = false, moreOnServer = false, readAt = 0;

const silence = (unit) => (unit.last_seen ? now() - Date.parse(unit.last_seen) : Infinity);
/** Unknown is never shown as fine: a unit we no longer hear is unknown. */
const stateOf = (unit) => (!STATES[unit.state] || (unit.state === "fine" && silence(unit) > OFFLINE_MS) ? "unknown" : unit.state);
const RANK = { recalled: 0, critical: 1, checking: 1, warning: 2, update: 3, info: 3, unknown: 4, fine: 5 };
const rankOf = (unit) => (unit.last_seen || stateOf(unit) !== "unknown" ? RANK[stateOf(unit)] : 6); // gone silent needs a look, never heard can wait
function connectionOf(unit) {
  const ms = silence(unit);
  if (ms === Infinity) return ["offline", "Never reported", ""];
  if (ms < LATE_MS) return ["online", "Online", "on"];
  if (ms < OFFLINE_MS) return ["late", `Patchy, seen ${Math.round(ms / 60_000)} min ago`, "bad"];
  return ["offline", `Offline, last seen ${when(unit.last_seen)}`, ""];
}

function fillTile(tile, r) {
  const none = r.value == null, old = !none && r.at && now() - Date.parse(r.at) > LATE_MS, side = outside(r.value, r.normal);
  style(tile.root, `tile${none ? " none" : old ? " old" : ""}`);
  text(tile.title, r.title ?? r.metric);
  text(tile.value, none ? "No reading yet" : number(r.value, r.unit));
  text(tile.unit, none ? "" : r.unit ?? "");
  const band = r.normal ? `normal ${plain(r.normal[0])} to ${plain(r.normal[1])}` : "";
  const words = side === "below" ? "Below normal" : side === "above" ? "Above normal" : "";
  mark(tile.note, "note", [side || "below", old ? `${words}${words && ", "}at ${when(r.at)}` : words || band, side ? "out" : ""]);
}

function fillUnit(card, unit) {
  text(card.name, unit.product.name);
  text(card.model, unit.product.model);
  text(card.serial, unit.serial);
  text(card.about, ["", unit.owner ?? "no owner yet", unit.firmware && `version ${unit.firmware}`, unit.lot && `lot ${unit.lot}`].filter((s) => s != null).join(" · "));
  mark(card.chip, "chip", STATES[stateOf(unit)]);
  mark(card.conn, "conn", connectionOf(unit));
  const alarms = unit.alarms.map((a) => `${a.title}, since ${when(a.onset)}`);
  if (card.alarmKey !== alarms.join("\n")) {
    card.alarmKey = alarms.join("\n");
    card.alarms.replaceChildren(...alarms.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  }
  show(card.alarms, alarms.length);
  show(card.tiles, unit.readings.length);
  card.tileOf ??= new Map();
  for (const r of unit.readings) {
    if (!card.tileOf.has(r.metric)) card.tileOf.set(r.metric, stamp("t-tile"));
    fillTile(card.tileOf.get(r.metric), r);
  }
  place(card.tiles, unit.readings.map((r) => card.tileOf.get(r.metric).root));
}

function renderUnits(anew = false) {
  if (!unitsLoaded) return;
  const all = [...units.values()], words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (u) => { const hay = [u.serial, u.product.name, u.product.model, u.product.code, u.owner, u.lot, u.firmware].join(" ").toLowerCase(); return words.every((w) => hay.includes(w)); };
  const found = all.filter(matches), wanted = found.filter((u) => !filter.state || stateOf(u) === filter.state);
  wanted.sort((a, b) => rankOf(a) - rankOf(b) || a.product.name.localeCompare(b.product.name) || a.serial.localeCompare(b.serial));
  const kept = anew || !readingBelow($("filter")) ? [] : rowIds.map((id) => units.get(id)).filter(Boolean);
  const rows = kept.length ? kept : allRows ? wanted : wanted.slice(0, FIRST_ROWS);
  rowIds = rows.map((u) => u.id);
  for (const unit of rows) {
    if (!unitCards.has(unit.id)) unitCards.set(unit.id, stamp("t-unit"));
    fillUnit(unitCards.get(unit.id), unit);
  }
  place($("units"), rows.map((u) => unitCards.get(u.id).root));
  for (const button of $("states").children) {
    const key = button.value;
    text(button.lastElementChild, plain(key ? found.filter((u) => stateOf(u) === key).length : found.length));
    button.setAttribute("aria-pressed", String(filter.state === key));
  }
  const count = (key) => all.filter((u) => stateOf(u) === key).length, bad = count("critical") + count("warning");
  text($("summary"), `${many(all.length, "product", "products")}. ${bad ? many(bad, "needs attention now", "need attention now") : "None needs attention now"}, ${count("unknown")} unknown.${moreOnServer ? " There are more; these are the first." : ""}`);
  show($("no-units"), !rows.length);
  text($("no-units"), all.length ? "No product matches. Try fewer words or another state." : "Products appear here, with their latest readings, once they have been imported.");
  show($("more"), rows.length < wanted.length || (!all.length ? false : !rows.length));
  text($("more"), rows.length ? `Show all ${plain(wanted.length)}` : "Show every product");
  return wanted.length;
}

/** Products that nobody judges: their readings go on, and no alarm comes of them. */
function saySuspended(list) {
  const words = list.map((s) => `${s.product} has been suspended since ${when(s.since)}: its readings are stored, and raise no alarm until it is judged again (${s.reason}).`).join(" ");
  show($("suspended"), words);
  text($("suspended").lastElementChild, words);
}

/** Old figures say that they are old. */
function sayTrouble() {
  const silent = now() - readAt > 3 * POLL_MS;
  const words = !readAt ? "The gateway does not answer." : silent ? `The gateway does not answer. You see the readings of ${when(readAt)}.` : feedFailed ? "The notices could not be fetched; they may be out of date." : "";
  show($("trouble"), words);
  text($("trouble").lastElementChild, words && `${words} We keep trying.`);
  if (!unitsLoaded) text($("summary"), "No readings yet.");
}

const fetchUnits = coalesced(async () => {
  try {
    const { units: list, next, suspended } = await getJson("/api/units?limit=500");
    saySuspended(suspended);
    readAt = now(); unitsLoaded = true; moreOnServer = next != null;
    units.clear();
    for (const unit of list) units.set(unit.id, unit);
    for (const id of unitCards.keys()) if (!units.has(id)) unitCards.delete(id);
  } finally {
    const t = new Date(readAt);
    text($("as-of"), readAt ? `Readings of ${t.getHours()}:${two(t.getMinutes())}:${two(t.getSeconds())}` : "");
    sayTrouble();
  }
  renderUnits();
  for (const card of cards.values()) { fillEvidence(card); follow(card); }
  placeFeed(); // a feed that waited for its reader to come back up
}, 50);

// ---- The filter lives in the URL ----
function readUrl() {
  const asked = new URLSearchParams(location.search);
  Object.assign(filter, { q: asked.get("q") ?? "", state: STATES[asked.get("state")] ? asked.get("state") : "" });
  if ($("q").value !== filter.q) $("q").value = filter.q;
}
let countTimer = 0;
function setFilter(change, step = "replaceState") {
  Object.assign(filter, change);
  const query = new URLSearchParams(Object.entries(filter).filter(([, v]) => v)).toString();
  history[step](null, "", query ? `?${query}` : location.pathname);
  readUrl();
  const shown = renderUnits(true);
  clearTimeout(countTimer);
  countTimer = setTimeout(() => announce(`${many(shown ?? 0, "product matches", "products match")}.`), 700);
}
for (const [key, [icon, word]] of [["", ["", "All"]], ...Object.entries(STATES)]) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", value: key });
  if (icon) {
    button.append($("trouble").firstElementChild.cloneNode(true));
    button.querySelector("use").setAttribute("href", `#i-${icon}`);
  }
  button.append(`${word} `, document.createElement("b"));
  button.onclick = () => setFilter({ state: key });
  $("states").append(button);
}
$("q").oninput = () => setFilter({ q: $("q").value });
$("filter").onsubmit = (event) => event.preventDefault();
$("more").onclick = () => {
  const first = $("units").children.length;
  if (!first) { setFilter({ q: "", state: "" }); $("q").focus(); return; }
  allRows = true; renderUnits(true);
  const next = $("units").children[first]; next.tabIndex = -1; next.focus({ preventScroll: true }); // the button is gone: go on where the list went on
};
addEventListener("popstate", () => { readUrl(); renderUnits(true); });

// ---- Notices ----
const cards = new Map(); // id -> the parts of the card, its notice, its points
let feed = [], firstFeedAt = 0, feedFailed = false;

const ENDED = { withdrawn: "Replaced or withdrawn", recall: "Closed", update: "Installed", withdrawal: "Read" };

function fillNotice(card, n) {
  card.notice = n;
  const done = n.state !== "open", [icon, word, tone] = SEVERITIES[n.severity] ?? SEVERITIES.info;
  style(card.root, `card notice${tone === "safety" ? " red" : ""}${done ? " resolved" : ""}${card.root.classList.contains("enter") ? " enter" : ""}`);
  mark(card.chip, "chip", [icon, word, done ? "" : tone]);
  show(card.back, done);
  text(card.back.lastElementChild, done ? `${ENDED[n.state === "withdrawn" ? n.state : n.kind] ?? "Back to normal"} ${when(n.resolved_at ?? n.updated_at)}` : "");
  show(card.fresh, card.isNew);
  text(card.title, n.title);
  text(card.unit, `${n.unit.product} ${n.unit.model}, ${n.unit.serial}`);
  card.unit.href = `?q=${encodeURIComponent(n.unit.serial)}`;
  text(card.time, when(n.created_at));
  card.time.dateTime = n.created_at;
  text(card.count, `${n.person ? ` · to ${n.person}` : ""}${n.count > 1 ? ` · ${plain(n.count)}\u00a0times` : ""}`);
  for (const part of ["body", "action"]) show(card[part], n[part]);
  text(card.body, n.body ?? "");
  text(card.action.lastElementChild, n.action ?? "");
  show(card.held, n.held_until);
  text(card.held.lastElementChild, n.held_until ? `Held until ${when(n.held_until)}${n.hold_reason ? `: ${n.hold_reason}` : ""}` : "");
  show(card.why, n.why);
  fillEvidence(card);
  const w = n.why ?? {}, reasons = [
    ["The rule", w.sentence], ["Rule name", w.rule && `${w.rule}, version ${w.version}`],
    [`${w.title}, when it was raised`, w.value != null && `${amount(number(w.value, w.unit), w.unit)}${w.limit != null ? `, limit ${amount(plain(w.limit), w.unit)}` : ""}`],
    ["Since", w.onset && `${when(w.onset)}${w.raised_at ? `, raised ${when(w.raised_at)}` : ""}`],
    ["Back to normal", w.cleared_at && `${when(w.cleared_at)}${w.cleared_value != null ? `, at ${amount(number(w.cleared_value, w.unit), w.unit)}` : ""}`],
    [n.person ? `${n.person} was told because` : "Told because", w.told_because],
  ].filter(([, v]) => v);
  if (card.reasonKey !== JSON.stringify(reasons)) {
    card.reasonKey = JSON.stringify(reasons);
    card.reasons.replaceChildren(...reasons.flat().map((s, i) => Object.assign(document.createElement(i % 2 ? "dd" : "dt"), { textContent: s })));
  }
}

const readingFor = (n) => units.get(n.unit.id)?.readings.find((r) => r.metric === n.why?.metric);

/** The value that raised it, beside what is normal and what it is now. */
function fillEvidence(card) {
  const n = card.notice, w = n.why;
  show(card.ev, w && w.value != null);
  if (!w || w.value == null) return;
  const reading = readingFor(n), side = outside(w.value, w.limit == null ? reading?.normal : [w.limit, w.limit]);
  text(card.value, number(w.value, w.unit));
  text(card.measure, w.unit ?? "");
  show(card.side, side);
  mark(card.side, "note", [side || "below", side ? `${side === "below" ? "Below" : "Above"} ${w.limit == null ? "normal" : "the limit"}` : "", "out"]);
  const key = (el, words) => { show(el, words); text(el.lastElementChild, words || ""); };
  key(card.kNormal, reading?.normal && `normal ${plain(reading.normal[0])} to ${amount(plain(reading.normal[1]), w.unit)}`);
  key(card.kLimit, w.limit != null && `limit ${amount(plain(w.limit), w.unit)}`);
  key(card.kFire, w.onset && (w.cleared_at ? `alarm ${when(w.onset)} to ${when(w.cleared_at)}` : `alarm since ${when(w.onset)}`));
  key(card.kNow, n.state === "open" && reading?.value != null && silence(units.get(n.unit.id)) < LATE_MS && `now ${amount(number(reading.value, w.unit), w.unit)}`);
}

function renderFeed(list) {
  const arrived = [];
  for (const n of list) {
    let card = cards.get(n.id);
    if (!card) {
      cards.set(n.id, card = stamp("t-notice"));
      card.isNew = firstFeedAt > 0 && Date.parse(n.created_at) > firstFeedAt - 2_000;
      card.unit.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        setFilter({ q: card.notice.unit.serial, state: "" }, "pushState");
        $("products").focus();
      };
      if (card.isNew) { arrived.push(n); card.root.classList.add("enter"); card.root.onanimationend = () => card.root.classList.remove("enter"); }
    }
    fillNotice(card, n);
  }
  firstFeedAt ||= now();
  for (const [id, card] of cards) if (!list.some((n) => n.id === id)) { card.root.remove(); cards.delete(id); }
  if (arrived.length) announce(`${arrived.length > 1 ? `${arrived.length} new notices. The latest: ` : "New notice: "}${arrived[0].title}. ${arrived[0].unit.product} ${arrived[0].unit.serial}.`);
}

/** Open ones first, then those back to normal; both as the server orders them. */
function placeFeed() {
  const all = feed.map((n) => [n, cards.get(n.id).root]), [open, earlier] = [false, true].map((done) => all.filter(([n]) => (n.state !== "open") === done).map(([, root]) => root));
  const waiting = all.filter(([, root]) => !root.isConnected).length, hold = readingBelow($("notices")) && waiting < all.length;
  show($("held"), hold && waiting);
  text($("held"), `Show ${many(waiting, "new notice", "new notices")}`);
  show($("open-count"), open.length);
  text($("open-count"), `${open.length} open`);
  if (hold) return;
  place($("earlier"), earlier); // first, so that a card that moves over keeps the focus
  place($("open"), open);
  show($("earlier-head"), earlier.length);
  show($("no-notices"), !open.length);
  text($("no-notices"), "No open notices. When a rule raises an alarm, the notice to the owner appears here with the reading that caused it.");
}
$("held").onclick = () => { $("notices").scrollIntoView(); placeFeed(); $("notices").focus(); };
addEventListener("scroll", () => { if (!$("held").hidden && !readingBelow($("notices"))) placeFeed(); }, { passive: true });

const fetchFeed = coalesced(async () => {
  const answer = await getJson("/api/feed?limit=50").catch((error) => { feedFailed = true; throw error; });
  feedFailed = false;
  feed = answer.notices;
  renderFeed(feed);
  placeFeed();
  const shown = [...feed].sort((a, b) => (a.state !== "open") - (b.state !== "open"));
  for (const n of shown.filter((x) => x.why?.metric && x.why.onset).slice(0, CHARTS)) {
    const card = cards.get(n.id);
    if (card.chartKey === n.state) continue;
    const minutes = Math.min(CHART_MINUTES, Math.ceil((now() - Date.parse(n.why.onset) + LEAD_MS) / 60_000));
    try {
      const { points } = await getJson(`/api/units/${encodeURIComponent(n.unit.id)}/readings?metric=${encodeURIComponent(n.why.metric)}&minutes=${minutes}`);
      Object.assign(card, { points: points.filter((p) => p[1] != null), chartKey: n.state });
      draw(card);
    } catch (error) { console.warn(error); } // the words stand without the picture; the next round tries again
  }
});

// ---- The sparkline: band, dashed limit, firing span with a top edge, line, dot ----
/** An open notice's line grows with the readings that are polled anyway. */
function follow(card) {
  const reading = card.points && card.notice.state === "open" && readingFor(card.notice), at = Date.parse(reading?.at);
  if (!reading || reading.value == null || !(at > (card.points.at(-1)?.[0] ?? 0))) return;
  card.points.push([at, reading.value]);
  if (card.points.length > CHART_POINTS) card.points.shift();
  draw(card);
}

function draw(card) {
  const n = card.notice, w = n.why, onset = Date.parse(w.onset), cleared = w.cleared_at ? Date.parse(w.cleared_at) : Infinity;
  const from = Math.max(onset - LEAD_MS, now() - CHART_MINUTES * 60_000), to = Math.min(now(), cleared + TAIL_MS);
  const points = card.points.filter(([t]) => t >= from && t <= to + 2_000);
  show(card.plot, points.length > 1);
  if (points.length < 2) return;
  const normal = readingFor(n)?.normal, values = points.map((p) => p[1]).concat(w.limit ?? []);
  let low = Math.min(...values), high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1; // a wide band is cut, so that it never flattens the line
  if (normal) { low = Math.min(low, Math.max(normal[0], low - span)); high = Math.max(high, Math.min(normal[1], high + span)); }
  [low, high] = [low - span * .08, high + span * .2]; // above, room for the top edge of the firing span
  const x = (t) => Math.min(1000, Math.max(0, (t - from) / (to - from) * 1000)).toFixed(1), y = (v) => Math.min(300, Math.max(0, (high - v) / (high - low) * 300)).toFixed(1);
  const path = (some) => some.map(([t, v], i) => `${i && t - some[i - 1][0] < GAP_MS ? "L" : "M"}${x(t)},${y(v)}`).join("");
  const add = (tag, attributes) => { const el = document.createElementNS("http://www.w3.org/2000/svg", tag); for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v); return el; };
  const fire = { x: x(onset), width: Math.max(4, x(Math.min(cleared, to)) - x(onset)) };
  const parts = [add("rect", { class: "p-fire", ...fire, y: 0, height: 300 })];
  if (normal) parts.push(add("rect", { class: "p-band", x: 0, width: 1000, y: y(normal[1]), height: Math.max(0, y(normal[0]) - y(normal[1])) }));
  parts.push(add("rect", { class: "p-top", ...fire, y: 0, height: 9 }));
  if (w.limit != null) parts.push(add("path", { class: "p-limit", d: `M0,${y(w.limit)}H1000` }));
  parts.push(add("path", { class: "p-line", d: path(points) }), add("path", { class: "p-out", d: path(points.filter(([t]) => t >= onset && t <= cleared)) }));
  card.svg.replaceChildren(...parts);
  const last = points.at(-1);
  Object.assign(card.dot.style, { left: `${x(last[0]) / 10}%`, top: `${y(last[1]) / 3}%` });
  text(card.from, when(from));
  text(card.to, n.state === "open" ? "now" : when(to));
  card.svg.setAttribute("aria-label", `${w.title} from ${when(from)} to ${when(to)}: alarm ${cleared < Infinity ? `${when(onset)} to ${when(cleared)}` : `since ${when(onset)}`}, last ${amount(number(last[1], w.unit), w.unit)}.`);
}

// ---- The stream: it says what changed, the fetches say what is ----
let source = null, retry = 0, wait = 2_000, openedAt = Infinity, lost = false;
const refreshAll = () => { fetchUnits(); fetchFeed(); };
function connect() {
  source = new EventSource("/api/stream");
  const say = (icon, word, tone) => mark($("conn"), "conn", [icon, word, tone]);
  const listen = (task, ...kinds) => kinds.forEach((kind) => source.addEventListener(kind, task));
  const later = () => { // the browser gave up, or the server said goodbye
    source.close();
    if (Date.now() - openedAt > 30_000) wait = 2_000;
    openedAt = Infinity;
    retry = setTimeout(connect, wait * (.5 + Math.random()));
    wait = Math.min(wait * 2, 30_000);
  };
  source.onopen = () => { say("online", "Live", "on"); openedAt = Date.now(); if (lost) refreshAll(); lost = false; };
  source.onerror = () => { lost = true; say("late", "Reconnecting…", "bad"); if (source.readyState === EventSource.CLOSED) later(); };
  listen(() => { lost = true; say("late", "Reconnecting…", "bad"); later(); }, "stream.end");
  listen(fetchFeed, "notice.told", "notice.updated", "notice.resolved");
  listen(fetchUnits, "alarm.raised", "alarm.cleared", "units.imported", "owners.imported");
}

getJson("/api/brand").then(({ name }) => {
  text($("maker"), name);
  document.title = `Products and notices – ${name}`;
}).catch(console.warn);
readUrl();
refreshAll();
connect();
setInterval(() => { if (!document.hidden) { fetchUnits(); if (feedFailed) fetchFeed(); } }, POLL_MS);
setInterval(() => { if (!document.hidden) fetchFeed(); }, FEED_CHECK_MS);
document.addEventListener("visibilitychange", () => { // a browser has six connections for us: a hidden page gives its stream back
  clearTimeout(retry);
  source?.close();
  if (!document.hidden) { connect(); refreshAll(); }
});
