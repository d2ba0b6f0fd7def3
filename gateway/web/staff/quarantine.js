// Refused messages: what is in quarantine, by reason; have it tried again, or drop it.
const SHOWN = 20, AGAIN_MS = 1_500;
const $ = (id) => document.getElementById(id);
let reason = "", mayPurge = false;

async function ask(url, body) {
  const post = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), ...post });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

const element = (name, props = {}, ...inner) => {
  const made = Object.assign(document.createElement(name), props);
  made.append(...inner);
  return made;
};

function button(label, act) {
  const made = element("button", { className: "btn", type: "button", textContent: label });
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      say(await act());
      setTimeout(load, AGAIN_MS); // ingest comes to it within a second
      await load();
    } catch (error) {
      say(error.message);
    }
    made.disabled = false;
  });
  return made;
}

const say = (words) => { $("refused-said").textContent = words; };

async function retry(choice) {
  const { asked, cut } = await ask("/api/quarantine/retry", choice);
  return `${asked} will be tried again.${cut ? ` ${cut} cannot be: not kept whole.` : ""}`;
}

const purge = async (choice) => `${(await ask("/api/quarantine/purge", choice)).purged} dropped.`;

function card(message) {
  const choice = { ids: [message.id] };
  const acts = element("p", { className: "states" });
  if (message.retry_at) acts.append("Waits for another try.");
  else if (message.whole) acts.append(button("Retry", () => retry(choice)));
  else acts.append("Not kept whole: it cannot be tried again.");
  if (mayPurge) acts.append(button("Purge", () => purge(choice)));
  return element("li", { className: "card refused" },
    element("h3", { textContent: message.reason }),
    element("p", { className: "meta", textContent: `${new Date(message.received_at).toLocaleString("en-GB")} · ${message.topic}` }),
    element("p", { className: "body", textContent: message.detail }),
    element("details", {}, element("summary", { textContent: `Payload, ${message.size} bytes` }), element("pre", { textContent: message.payload })),
    acts);
}

function filter(counts) {
  const buttons = counts.filter((each) => each.here).map((each) => {
    const made = element("button", { className: "btn", type: "button", textContent: `${each.reason} ${each.here}` });
    made.setAttribute("aria-pressed", each.reason === reason);
    made.addEventListener("click", () => { reason = reason === each.reason ? "" : each.reason; load(); });
    return made;
  });
  if (reason) buttons.push(button(`Retry all of ${reason}`, () => retry({ reason })));
  $("refused-reasons").replaceChildren(...buttons);
}

async function load() {
  try {
    const wanted = reason ? `&reason=${encodeURIComponent(reason)}` : "";
    const [{ reasons }, { messages }] = await Promise.all([ask("/api/quarantine/counts"), ask(`/api/quarantine?limit=${SHOWN}${wanted}`)]);
    const here = reasons.reduce((sum, each) => sum + each.here, 0), trimmed = reasons.reduce((sum, each) => sum + each.trimmed, 0);
    $("refused-summary").textContent = here ? `${here} here, the newest ${messages.length} shown.${trimmed ? ` ${trimmed} older ones went for want of room.` : ""}` : "No message is in quarantine.";
    filter(reasons);
    $("refused-list").replaceChildren(...messages.map(card));
  } catch (error) {
    say(error.message);
  }
}

$("refused").addEventListener("toggle", async () => {
  if (!$("refused").open) return;
  mayPurge = (await ask("/api/me")).role === "administrator";
  await load();
});
