import { describe, expect, it } from "vitest";
import { extent, joined, ticks, type Range } from "./scale";

const ends = (range: Range) => [ticks(range)[0], ticks(range).at(-1)];

describe("a value axis", () => {
  it("has round numbers from below the range to above it", () => {
    expect(ticks([0.9, 2])).toEqual([0.5, 1, 1.5, 2, 2.5]);
    expect(ticks([18.2, 55])).toEqual([10, 20, 30, 40, 50, 60]);
    expect(ticks([-12, 7])).toEqual([-15, -10, -5, 0, 5, 10]);
    expect(ticks([0.0012, 0.0031])).toEqual([0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035]);
    expect(ticks([1.2e6, 3.4e6])).toEqual([1e6, 1.5e6, 2e6, 2.5e6, 3e6, 3.5e6, 4e6]);
  });
  it("has room around a value that never changes", () => {
    for (const value of [0, 1.5, -40, 3e-9, 7e12]) {
      const [low, high] = ends([value, value]);
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThan(value);
    }
  });
  it("does not go below zero for what is never below zero", () => {
    expect(ends([0, 98])[0]).toBe(0);
  });
  it("shows the whole band and every limit", () => {
    expect(extent([1.4, 1.6], [1.2, 2], [1, 3])).toEqual([1, 3]);
    expect(extent([1.4, 1.6], null, [])).toEqual([1.4, 1.6]);
  });
  it("holds still for readings within it, grows at once, and does not shrink", () => {
    const seen: (number | undefined)[][] = [];
    let held: Range | null = null;
    for (const high of [1.61, 1.63, 1.6, 2.7, 1.6]) {
      held = joined(held, [1.5, high]);
      seen.push(ends(held));
    }
    expect(seen).toEqual([[1.45, 1.65], [1.45, 1.65], [1.45, 1.65], [1, 3], [1, 3]]);
  });
});
