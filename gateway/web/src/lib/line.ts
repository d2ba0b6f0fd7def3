import type { Readings } from "../api/types";
import { buckets, thinned, type Bucket } from "./buckets";

/** A metric over time as the server returns it: readings, or hours or days with the lowest and the highest of each. */
export type Line = Pick<Readings, "step" | "points" | "bands">;
/** Times in seconds, then values; those of hours and days are means, with their lowest and highest beside them. */
export type Columns = [times: number[], values: (number | null)[], lows: (number | null)[], highs: (number | null)[]];

export const NOTHING: Line = { step: "reading", points: [], bands: [] };

const STEP_MS = { reading: 0, hour: 3_600_000, day: 86_400_000 } as const;
const GAP_MS = 5 * 60_000;
const SHOWN = 600;

/** What is drawn of a line over so many minutes: a mean stands amid its time, and a silence is not a straight line. */
export function columns(line: Line, minutes: number, now: number): Columns {
  const step = STEP_MS[line.step];
  const gap = step ? 1.5 * step : Math.max(GAP_MS, (minutes * 60_000) / 50);
  const drawn: Columns = [[], [], [], []];
  const add = (at: number, ...values: (number | null)[]) => [at / 1000, ...values].forEach((value, index) => drawn[index]?.push(value as number));
  let before = 0;
  (step ? line.points : thinned(line.points, SHOWN)).forEach(([at, value], index) => {
    if (before && at - before > gap) add((before + at + step) / 2, null, null, null);
    const [low, high] = line.bands[index] ?? [null, null];
    add(step ? Math.max(at, Math.min(at + step / 2, now)) : at, value, low, high);
    before = at;
  });
  return drawn;
}

/** The same line with the lowest and the highest of each hour or day as points of their own. */
const spread = ({ points, bands }: Line): [number, number][] =>
  bands.length ? points.flatMap(([at], index) => (bands[index] ?? []).map((value): [number, number] => [at, value])) : points;

/** The lowest and the highest of all. */
export const extremes = (line: Line): [number, number] =>
  spread(line).reduce<[number, number]>(([low, high], [, value]) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

/** A line in words, the newest part first: parts of whole minutes, hours or days. */
export const inWords = (line: Line, count: number): Bucket[] => buckets(spread(line), count, STEP_MS[line.step] || 60_000).reverse();

/** Amid the first hour or day of a part, so that a UTC day has its own name in other zones too. */
export const amid = (line: Line, at: number): number => (line.step === "day" ? at + STEP_MS.day / 2 : at);

/** The line with a reading that is newer; hours and days stay as they are until they are asked for again. */
export function withNewest(line: Line, at: number, value: number, oldest: number): Line {
  if (line.step !== "reading" || at <= (line.points.at(-1)?.[0] ?? 0)) return line;
  return { ...line, points: [...line.points.filter(([moment]) => moment >= oldest), [at, value]] };
}
