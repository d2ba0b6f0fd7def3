import { untrack } from "svelte";
import { Stream, type Heard, type Source } from "../../lib/stream";
import { look } from "../../lib/session.svelte";
import { soon } from "./soon";

/** What the staff hear, and the clock in seconds for "4 s ago". */
const STAFF: Source = {
  name: "staff-stream",
  url: "/api/stream",
  kinds: [
    "alarm.raised", "alarm.cleared", "alarm.acknowledged", "alarm.unacknowledged", "alarm.assigned", "alarm.commented",
    "alarm.judged", "alarm.resolved", "alarm.reopened",
    "campaign.drafted", "campaign.edited", "campaign.discarded", "campaign.published", "campaign.superseded", "campaign.withdrawn", "campaign.joined",
    "notice.recorded", "notice.told", "notice.updated", "notice.resolved", "notice.read", "notice.acknowledged", "notice.withdrawn",
    "delivery.waiting", "delivery.delivered", "delivery.failed", "delivery.skipped", "delivery.unknown",
    "unit.claimed", "unit.released", "unit.firmware_reported", "units.imported", "owners.imported", "stream.reset",
    "note.written", "account.confirmed", "account.signed_in", "account.signed_out_everywhere", "account.invited", "account.invitation_withdrawn",
    "account.role_given", "account.role_taken", "account.disabled", "account.enabled",
    "quarantine.retry_asked", "quarantine.retried", "quarantine.purged", "quarantine.trimmed",
  ],
};
const SETTLE_MS = 500;
const LATE_MS = 8_000;

let now = $state(Date.now());
let connected = $state(true);
let listeners: ((heard: Heard | null) => void)[] = [];

export const live = {
  get now() { return now; },
  get connected() { return connected; },
};

/**
 * Fetch at once, and again soon after something that concerns it was heard, or may have been missed; until the end. What
 * the stream does not tell of is fetched every so many ms, while the page is seen.
 */
export function watch(concerns: (heard: Heard) => boolean, fetch: () => Promise<void>, every?: number): () => void {
  const again = soon(fetch, SETTLE_MS);
  const listener = (heard: Heard | null) => void ((!heard || concerns(heard)) && again.ask());
  listeners = [...listeners, listener];
  const poll = every && setInterval(() => document.hidden || again.ask(), every);
  void untrack(fetch); // what it reads while it begins is no reason to begin anew
  return () => {
    clearInterval(poll);
    again.stop();
    listeners = listeners.filter((other) => other !== listener);
  };
}

/** Listen until the returned function is called. */
export function keepCurrent(): () => void {
  let late = 0;
  let wasOpen = false;
  const tell = (heard: Heard | null) => listeners.forEach((listener) => listener(heard));
  const say = (isOpen: boolean) => {
    clearTimeout(late);
    if (!isOpen) {
      late = window.setTimeout(() => (connected = false), LATE_MS); // a short break is nobody's concern
      return;
    }
    connected = true;
    if (wasOpen) tell(null); // something may have been missed
    wasOpen = true;
  };
  const back = () => document.hidden || tell(null);
  const stream = new Stream(STAFF, tell, say, () => void look());
  const tick = setInterval(() => (now = Date.now()), 1_000);
  document.addEventListener("visibilitychange", back);
  return () => {
    stream.close();
    clearTimeout(late);
    clearInterval(tick);
    document.removeEventListener("visibilitychange", back);
    connected = true;
  };
}
