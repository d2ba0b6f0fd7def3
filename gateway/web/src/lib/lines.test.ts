import { describe, expect, it } from "vitest";
import { buckets, thinned } from "./buckets";
import { trace } from "./trace";

const line = (...values: number[]) => values.map((value, step): [number, number] => [step * 60_000, value]);

describe("a line in words and on a small screen", () => {
  it("keeps the lowest, highest and last value of each part", () => {
    expect(buckets(line(1, 3, 2), 1)).toEqual([{ from: 0, low: 1, high: 3, last: 2 }]);
    expect(buckets([], 4)).toEqual([]);
  });
  it("loses no spike when it is thinned", () => {
    const points = line(...Array.from({ length: 5000 }, (_, step) => (step === 1234 ? 9 : 1)));
    const few = thinned(points, 100);
    expect(few.length).toBeLessThanOrEqual(201);
    expect(Math.max(...few.map(([, value]) => value))).toBe(9);
    expect(few.at(-1)).toEqual(points.at(-1));
  });
});

describe("the evidence beside the claim", () => {
  it("places the span that fired, the band above the limit, and the dot at now", () => {
    const drawn = trace(line(1.5, 1.5, 0.9, 0.9, 0.9), { normal: [1.2, 2], limit: 1, onset: 120_000, cleared: null });
    expect(drawn.fire).toEqual([500, 500]);
    expect(drawn.band && drawn.band[0] + drawn.band[1]).toBeLessThan(drawn.limit);
    expect(drawn.dot[0]).toBe(1000);
    expect(drawn.dot[1]).toBeGreaterThan(drawn.limit);
  });
});
