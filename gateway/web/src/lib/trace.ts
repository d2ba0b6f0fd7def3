/** A line of readings in a field of 1000 × 300, with the normal band, the limit and the span that fired. */
export interface Trace {
  line: string;
  out: string;
  band: [y: number, height: number] | null;
  limit: number;
  fire: [x: number, width: number];
  dot: [x: number, y: number];
}

const WIDE = 1000;
const HIGH = 300;
const LEAST_FIRE = 6;

export function trace(
  points: readonly (readonly [number, number])[],
  { normal, limit, onset, cleared }: { normal: readonly number[] | null; limit: number; onset: number; cleared: number | null },
): Trace {
  const from = points[0]?.[0] ?? 0;
  const to = points.at(-1)?.[0] ?? 1;
  const values = points.map(([, value]) => value).concat(limit);
  let low = Math.min(...values);
  let high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  // A wide band is cut, so that it never flattens the line.
  const [bandLow = null, bandHigh = null] = normal ?? [];
  if (bandLow !== null) low = Math.min(low, Math.max(bandLow, low - span));
  if (bandHigh !== null) high = Math.max(high, Math.min(bandHigh, high + span));
  low -= span * 0.08;
  high += span * 0.2; // room for the top edge of the span that fired

  const round = (value: number) => Math.round(value * 10) / 10;
  const x = (at: number) => round(Math.min(WIDE, Math.max(0, ((at - from) / (to - from || 1)) * WIDE)));
  const y = (value: number) => round(Math.min(HIGH, Math.max(0, ((high - value) / (high - low)) * HIGH)));
  const path = (some: readonly (readonly [number, number])[]) => some.map(([at, value], index) => `${index ? "L" : "M"}${x(at)},${y(value)}`).join("");

  const end = cleared ?? Infinity;
  const start = x(onset);
  const last = points.at(-1) ?? [0, 0];
  return {
    line: path(points),
    out: path(points.filter(([at]) => at >= onset && at <= end)),
    band: bandLow !== null && bandHigh !== null ? [y(bandHigh), round(Math.max(0, y(bandLow) - y(bandHigh)))] : null,
    limit: y(limit),
    fire: [start, round(Math.max(LEAST_FIRE, x(Math.min(end, to)) - start))],
    dot: [x(last[0]), y(last[1])],
  };
}
