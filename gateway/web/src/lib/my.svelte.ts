import { t } from "../i18n/index.svelte";
import type { CampaignNotice, Feed, Notice, Unit, Units } from "../api/types";
import { get, post, Refused } from "./api";
import { isCampaign } from "./campaign";
import { MINE, Stream, type Heard } from "./stream";
import { look } from "./session.svelte";
import { whereOf } from "./which";

/** My units and my notices, kept current by the stream; the clock in seconds for "12 s ago". */
const POLL_MS = 10_000;
const SETTLE_MS = 80;
const LATE_MS = 8_000;

let units = $state.raw<Unit[] | undefined>(undefined);
let notices = $state.raw<Notice[] | undefined>(undefined);
let pinned = $state.raw<CampaignNotice[]>([]);
let older = $state<string | null>(null);
let unread = $state(0);
let now = $state(Date.now());
let live = $state(true);
let failed = $state(false);
let said = $state("");
let fresh = $state.raw<ReadonlySet<string>>(new Set());

export const my = {
  get units() { return units; },
  get notices() { return notices; },
  /** Recalls that the owner has not confirmed, which stand above everything. */
  get pinned() { return pinned; },
  get older() { return older; },
  get unread() { return unread; },
  get now() { return now; },
  get live() { return live; },
  get failed() { return failed; },
  get said() { return said; },
  get fresh() { return fresh; },
};

/** Runs once at a time, and once more when it was asked for meanwhile. */
function coalesced(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  return async function ask(): Promise<void> {
    if (running) {
      again = true;
      return running;
    }
    running = new Promise((settle) => setTimeout(settle, SETTLE_MS)).then(task).then(
      () => { failed = false; },
      (error: unknown) => { if (!(error instanceof Refused) || error.status !== 401) failed = true; },
    );
    await running;
    running = null;
    if (again) {
      again = false;
      await ask();
    }
  };
}

const fetchUnits = coalesced(async () => {
  units = (await get<Units>("/api/my/units")).units;
});

const fetchFeed = coalesced(async () => {
  const page = await get<Feed>("/api/my/feed?limit=30");
  const had = notices;
  const known = new Set([...pinned, ...(had ?? [])].map(({ id }) => id));
  pinned = page.pinned.filter(isCampaign);
  const beyond = had?.filter((notice) => !page.notices.some(({ id }) => id === notice.id)) ?? [];
  notices = had && had.length > 30 ? [...page.notices, ...beyond] : page.notices;
  if (!had || had.length <= 30) older = page.next;
  unread = page.unread;
  if (had) {
    const arrived = [...pinned, ...page.notices].filter((notice) => !known.has(notice.id));
    const first = arrived[0];
    if (first) {
      fresh = new Set([...fresh, ...arrived.map(({ id }) => id)]);
      const { title } = first;
      said = first.kind === "recall" ? t("recall-arrived", { product: first.unit.product + whereOf(first.unit.id, units), title }) : t("feed-arrived", { title });
    }
  }
});

export const refresh = (): Promise<unknown> => Promise.all([fetchUnits(), fetchFeed()]);

export async function showOlder(): Promise<void> {
  if (!older) return;
  const page = await get<Feed>(`/api/my/feed?limit=30&before=${encodeURIComponent(older)}`);
  notices = [...(notices ?? []), ...page.notices];
  older = page.next;
}

/** One of the owner's notices that is here already, pinned or not. */
export const noticeById = (id: string): Notice | undefined => [...pinned, ...(notices ?? [])].find((notice) => notice.id === id);

/** Put a changed notice or unit in its place, before the next fetch says so too. */
export function noticeChanged(changed: Notice): void {
  const before = noticeById(changed.id);
  if (before && !before.read_at && changed.read_at) unread = Math.max(0, unread - 1);
  const stays = isCampaign(changed) && !changed.acknowledged_at;
  if (!stays && pinned.some(({ id }) => id === changed.id)) notices = [changed, ...(notices ?? [])];
  pinned = pinned.flatMap((notice) => (notice.id !== changed.id ? [notice] : stays ? [changed] : []));
  notices = notices?.map((notice) => (notice.id === changed.id ? changed : notice));
  void fetchFeed();
}
export function unitChanged(changed: Unit): void {
  units = units?.map((unit) => (unit.id === changed.id ? changed : unit));
  void fetchUnits();
}
export function withoutUnit(id: string): void {
  units = units?.filter((unit) => unit.id !== id);
}

export async function markRead(notice: Notice): Promise<void> {
  if (notice.read_at) return;
  await post(`/api/my/notices/${notice.id}/read`);
  noticeChanged({ ...notice, read_at: new Date().toISOString() });
}

let listeners: ((heard: Heard) => void)[] = [];
/** Be told what the stream says, until the returned function is called. */
export function onHeard(listener: (heard: Heard) => void): () => void {
  listeners = [...listeners, listener];
  return () => (listeners = listeners.filter((other) => other !== listener));
}

/** Keep everything current until the returned function is called. */
export function keepCurrent(): () => void {
  const hear = (heard: Heard) => {
    if (!heard.kind.startsWith("alarm.")) void fetchFeed();
    void fetchUnits();
    for (const listener of listeners) listener(heard);
  };
  let quiet = 0;
  const say = (isLive: boolean) => {
    clearTimeout(quiet);
    if (isLive) {
      live = true;
      void refresh();
    } else quiet = window.setTimeout(() => (live = false), LATE_MS); // a short break is nobody's concern
  };
  const stream = new Stream(MINE, hear, say, () => void look());
  const tick = setInterval(() => (now = Date.now()), 1_000);
  const poll = setInterval(() => document.hidden || void fetchUnits(), POLL_MS);
  const back = () => document.hidden || void refresh();
  document.addEventListener("visibilitychange", back);
  void refresh();
  return () => {
    stream.close();
    clearTimeout(quiet);
    clearInterval(tick);
    clearInterval(poll);
    document.removeEventListener("visibilitychange", back);
    units = notices = undefined;
    pinned = [];
    unread = 0;
    fresh = new Set();
    said = "";
    live = true;
    failed = false;
  };
}
