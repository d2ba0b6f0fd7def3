import { describe, expect, it } from "vitest";
import { columns, extremes, inWords, withNewest, type Line } from "./line";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 5, 1);
const NOW = START + 40 * HOUR;

const readings = (...values: number[]): Line => ({ step: "reading", points: values.map((value, index) => [START + index * 60_000, value]), bands: [] });
const hours = (...at: number[]): Line => ({ step: "hour", points: at.map((hour) => [START + hour * HOUR, 5]), bands: at.map((hour) => [-hour, hour]) });

describe("a line of hours", () => {
  it("draws each mean amid its hour, between its lowest and its highest", () => {
    const [times, means, lows, highs] = columns(hours(1, 2), 60 * 24 * 30, NOW);
    expect(times).toEqual([START / 1000 + 1.5 * 3600, START / 1000 + 2.5 * 3600]);
    expect([means, lows, highs]).toEqual([[5, 5], [-1, -2], [1, 2]]);
  });

  it("draws the hour that is not over up to now", () => {
    const [times] = columns(hours(39, 40), 60 * 24 * 30, NOW + HOUR / 10);
    expect(times.at(-1)).toBe((NOW + HOUR / 10) / 1000);
  });

  it("has a gap where an hour is missing, and none between hours that follow each other", () => {
    expect(columns(hours(1, 2, 4), 60 * 24 * 30, NOW)[1]).toEqual([5, 5, null, 5]);
  });

  it("counts the extremes of its hours, not of its means", () => {
    expect(extremes(hours(1, 7, 3))).toEqual([-7, 7]);
    expect(inWords(hours(1, 2, 3), 1)[0]).toMatchObject({ low: -3, high: 3 });
  });

  it("is told in parts of whole hours", () => {
    expect(inWords(hours(1, 2, 3, 4, 5), 2).map(({ from }) => from % HOUR)).toEqual([0, 0]);
  });

  it("is not joined by a single reading", () => {
    expect(withNewest(hours(1), NOW, 99, 0)).toEqual(hours(1));
  });
});

describe("a line of readings", () => {
  it("has no band", () => {
    const [, values, lows, highs] = columns(readings(1, 2), 60, NOW);
    expect([values, lows, highs]).toEqual([[1, 2], [null, null], [null, null]]);
    expect(extremes(readings(3, 1, 2))).toEqual([1, 3]);
  });

  it("is joined by the newest, and loses what is too old", () => {
    const line = withNewest(readings(1, 2), START + 5 * 60_000, 3, START + 1);
    expect(line.points).toEqual([[START + 60_000, 2], [START + 300_000, 3]]);
    expect(withNewest(line, START, 9, 0)).toBe(line);
  });
});
