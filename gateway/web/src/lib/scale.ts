/** The value axis of a chart: round numbers, and ends that hold still while readings come in. */
export type Range = readonly [low: number, high: number];

const ROOM = 0.05;
const PARTS = 5;

/** What both ranges cover: an axis grows at once, and shrinks only when it begins anew. */
export const joined = (before: Range | null, now: Range): Range => (before ? [Math.min(before[0], now[0]), Math.max(before[1], now[1])] : now);

/** The lowest and the highest of the readings, the normal band and the limits. */
export function extent(readings: Range, normal: readonly number[] | null, limits: readonly number[]): Range {
  const all = [...readings, ...(normal ?? []), ...limits].filter(Number.isFinite);
  return [Math.min(...all), Math.max(...all)];
}

/** 1, 2 or 5 times a power of ten, so that about five steps cover a distance. */
function step(distance: number): number {
  const size = distance / PARTS;
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5, 10].find((times) => times * power >= size * 0.999) ?? 10);
}

/** The round numbers from below a range to above it; the first and the last are the ends of its axis. */
export function ticks([low, high]: Range): number[] {
  const distance = high - low || Math.abs(high) / 5 || 2;
  const room = high === low ? distance / 2 : distance * ROOM;
  const from = low >= 0 ? Math.max(0, low - room) : low - room; // what is never below zero has no axis below zero
  const size = step(high + room - from);
  const first = Math.floor(from / size);
  const last = Math.ceil((high + room) / size);
  const digits = Math.max(0, -Math.floor(Math.log10(size)));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * size).toFixed(Math.min(digits, 20))));
}
