import { timeZone } from "../../lib/zone.svelte";

/** The minutes that a zone is ahead of UTC at a moment. */
function ahead(moment: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23" }).formatToParts(moment);
  const at = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Math.round((Date.UTC(at.year ?? 0, (at.month ?? 1) - 1, at.day, at.hour, at.minute) - moment) / 60_000);
}

/** A moment as a field for date and time has it, in the zone in which times are shown. */
export const written = (moment: number, zone = timeZone()): string => new Date(moment + ahead(moment, zone) * 60_000).toISOString().slice(0, 16);

/** The moment of such a field. */
export function momentOf(text: string, zone = timeZone()): string {
  const there = Date.parse(`${text}Z`);
  const moment = there - ahead(there, zone) * 60_000;
  return new Date(there - ahead(moment, zone) * 60_000).toISOString(); // the clock may have changed in between
}
