import { locale, t } from "../i18n/index.svelte";
import { timeZone } from "./zone.svelte";

const DAY_MS = 86_400_000;
const NARROW = "\u202f";

/** A measured value: three digits that matter, so that a live figure keeps its width. */
export function number(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .format(value)
    .replace("-", "−");
}

/** A limit or a bound, as it was written. */
export const plain = (value: number): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: 3 }).format(value).replace("-", "−");

/** A figure and its unit, never torn apart. */
export const amount = (figure: string, unit: string): string => (unit ? `${figure}${NARROW}${unit}` : figure);

const formats = new Map<string, Intl.DateTimeFormat>();

/** A format of the page's language and zone; making one takes longer than using it a hundred times. */
function format(how: Intl.DateTimeFormatOptions, of = locale()): Intl.DateTimeFormat {
  const key = JSON.stringify([of, timeZone(), how]);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(of, { ...how, timeZone: timeZone() });
  formats.set(key, known);
  return known;
}

/** The parts of a moment in its zone, in figures. */
const figures = (moment: number): Record<string, string> =>
  Object.fromEntries(
    format({ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "2-digit", hourCycle: "h23" }, "en-GB")
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );

/** 6:40, by the 24-hour clock. */
export function clock(moment: number | string): string {
  const at = figures(new Date(moment).getTime());
  return `${Number(at.hour)}:${at.minute}`;
}

/** The number of its day, counted in its zone. */
function dayNumber(moment: number): number {
  const at = figures(moment);
  return Date.UTC(Number(at.year), Number(at.month) - 1, Number(at.day)) / DAY_MS;
}

/** 9 Nov, or 9 Nov 2025 when it is not this year. */
export function day(moment: number | string, now = Date.now()): string {
  const at = new Date(moment).getTime();
  const year = figures(at).year === figures(now).year ? {} : ({ year: "numeric" } as const);
  return format({ day: "numeric", month: "short", ...year }).format(at);
}

/** 31 Jan 2036: a date of the calendar, the same in every zone. */
export const calendarDay = (date: string): string =>
  new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(Date.parse(date));

/** 9 Nov 2025, 6:40:12. */
export const exactly = (moment: number | string): string => format({ dateStyle: "medium", timeStyle: "medium" }).format(new Date(moment));

/** What the zone is called at a moment: CET, UTC, GMT+5:30. */
export function zoneName(moment: number | string = Date.now()): string {
  const name = format({ timeZoneName: "short" }).formatToParts(new Date(moment)).find(({ type }) => type === "timeZoneName");
  return (name?.value ?? timeZone()).replace(/^GMT\+0$/, "GMT");
}

/** today, 6:40; yesterday, 6:40; 9 Nov, 6:40. */
export function when(moment: number | string, now = Date.now()): string {
  const at = new Date(moment).getTime();
  const days = dayNumber(now) - dayNumber(at);
  const time = clock(at);
  if (days === 0) return t("time-today", { time });
  if (days === 1) return t("time-yesterday", { time });
  return t("time-at", { day: day(at, now), time });
}

/** today, 6:40 CET: where a time stands alone. */
export const whenThere = (moment: number | string, now = Date.now()): string => `${when(moment, now)} ${zoneName(moment)}`;

/** repair, replacement or refund. */
export const choice = (texts: readonly string[]): string => new Intl.ListFormat(locale(), { type: "disjunction" }).format(texts);

/** 12 s ago; beyond a day the date. */
export function ago(moment: number | string, now = Date.now()): string {
  const seconds = Math.max(0, (now - new Date(moment).getTime()) / 1000);
  if (seconds < 5) return t("time-now");
  if (seconds < 90) return t("time-s", { count: Math.round(seconds) });
  if (seconds < 90 * 60) return t("time-min", { count: Math.round(seconds / 60) });
  if (seconds < 22 * 3600) return t("time-h", { count: Math.round(seconds / 3600) });
  return when(moment, now);
}

/** Jana's letters for the account button. */
export const initials = (name: string): string => {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "") + (words.length > 1 ? (words.at(-1)?.[0] ?? "") : "")).toUpperCase() || "?";
};

/** A serial as the server compares it. */
export const readSerial = (typed: string): string => typed.normalize("NFKC").replace(/[\s\-\u2010-\u2015]+/g, "").toUpperCase();

/** On which side of its normal band a value is. */
export const side = (value: number | null, normal: readonly number[] | null | undefined): "below" | "above" | null => {
  if (value === null || !normal) return null;
  const [low = -Infinity, high = Infinity] = normal;
  return value < low ? "below" : value > high ? "above" : null;
};

const first = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
export { first as capital };

const PARTS = [
  ["D", "d"],
  ["H", "h"],
  ["M", "min"],
  ["S", "s"],
] as const;

/** An ISO 8601 duration, or the server's own writing (1h30m), in short words: 1 h 30 min. */
export function span(text: string): string {
  const upper = text.toUpperCase().replace(/[PT]/g, "");
  const found = PARTS.flatMap(([letter, word]) => {
    const count = Number(new RegExp(`([\\d.]+)${letter}`).exec(upper)?.[1] ?? 0);
    return count ? [`${count}${NARROW}${word}`] : [];
  });
  return found.join(" ") || text;
}
