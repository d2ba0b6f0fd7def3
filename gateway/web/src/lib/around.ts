import type { AlarmNotice } from "../api/types";

const MINUTE = 60_000;
const LEAD_MIN = 10;
const TAIL_MIN = 3;
const LONGEST_MIN = 12 * 60;

/** The readings around the onset of a notice: from a little before it to a little after it was over, or to now. */
export function around(notice: AlarmNotice, now = Date.now()): string {
  const from = Date.parse(notice.why.onset) - LEAD_MIN * MINUTE;
  const over = notice.why.cleared_at ?? notice.resolved_at;
  const to = Math.min(now, over ? Date.parse(over) + TAIL_MIN * MINUTE : now, from + LONGEST_MIN * MINUTE);
  const minutes = Math.max(1, Math.ceil((to - from) / MINUTE));
  const until = to === now ? "" : `&until=${encodeURIComponent(new Date(to).toISOString())}`;
  return `/api/my/units/${notice.unit.id}/readings?metric=${encodeURIComponent(notice.why.metric)}&minutes=${minutes}${until}`;
}
