/** A line in words: the lowest, highest and last value of each part of its time, for the table beside the chart. */
export interface Bucket {
  from: number;
  low: number;
  high: number;
  last: number;
}

/** At most about `count` parts, each of whole units of time. */
export function buckets(points: readonly (readonly [number, number])[], count: number, unit = 60_000): Bucket[] {
  const start = points[0]?.[0];
  const end = points.at(-1)?.[0];
  if (start === undefined || end === undefined) return [];
  const size = Math.max(unit, Math.ceil((end - start + 1) / count / unit) * unit);
  const found = new Map<number, Bucket>();
  for (const [at, value] of points) {
    const from = Math.floor(at / size) * size;
    const bucket = found.get(from);
    if (!bucket) found.set(from, { from, low: value, high: value, last: value });
    else {
      bucket.low = Math.min(bucket.low, value);
      bucket.high = Math.max(bucket.high, value);
      bucket.last = value;
    }
  }
  return [...found.values()];
}

/** The same line with at most two points (its lowest and highest) in each of `count` parts: a screen shows no more. */
export function thinned(points: readonly [number, number][], count: number): [number, number][] {
  if (points.length <= 2 * count) return [...points];
  const kept: [number, number][] = [];
  const size = points.length / count;
  for (let part = 0; part < count; part++) {
    const some = points.slice(Math.floor(part * size), Math.floor((part + 1) * size));
    const low = some.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = some.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  const last = points.at(-1);
  if (last && kept.at(-1) !== last) kept.push(last);
  return kept;
}
