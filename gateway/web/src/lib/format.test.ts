import { describe, expect, it } from "vitest";
import { speakIn } from "../i18n/from-files";
import { ago, amount, choice, clock, day, initials, number, plain, readSerial, side, span, when, whenThere, zoneName } from "./format";
import { liveIn } from "./zone.svelte";
import formats from "../../../../tests/data/formats.json";

speakIn("en");
const NOW = new Date(2026, 10, 22, 12, 0, 0).getTime();

describe("what people read", () => {
  it("writes a live figure with three digits that matter", () => {
    expect([0.8, 9.996, 38.44, 1200].map(number)).toEqual(["0.80", "10.0", "38.4", "1,200"]);
    expect(number(-1.5)).toBe("−1.50");
    expect(plain(1.2)).toBe("1.2");
    expect(amount("1", "bar")).toMatch(/^1\sbar$/);
  });
  it("tells the time by the 24-hour clock, without a leading zero", () => {
    expect(clock(new Date(2026, 10, 22, 6, 4).getTime())).toBe("6:04");
    expect(when(new Date(2026, 10, 22, 6, 40).getTime(), NOW)).toBe("today, 6:40");
    expect(when(new Date(2026, 10, 21, 23, 59).getTime(), NOW)).toBe("yesterday, 23:59");
    expect(when(new Date(2025, 10, 9, 1, 0).getTime(), NOW)).toBe("9 Nov 2025, 1:00");
  });
  it("says how long ago, and never that the future was", () => {
    expect([0, 12, 720, 7200].map((seconds) => ago(NOW - seconds * 1000, NOW))).toEqual(["just now", "12 s ago", "12 min ago", "2 h ago"]);
    expect(ago(NOW + 60_000, NOW)).toBe("just now");
  });
  it("reads a serial as the server does", () => {
    expect(readSerial(" hp90–23 001256")).toBe("HP9023001256");
  });
  it("knows on which side of its band a value is, and nothing without one", () => {
    expect([side(1, [1.2, 2]), side(2, [1.2, 2]), side(2.1, [1.2, 2]), side(9, null), side(null, [0, 1])]).toEqual(["below", null, "above", null, null]);
  });
  it("shortens names and durations", () => {
    expect([initials("Jana Möller"), initials("Eva"), initials(" ")]).toEqual(["JM", "E", "?"]);
    expect([span("PT1H30M"), span("1h"), span("P1D")].map((text) => text.replace(/\s/g, " "))).toEqual(["1 h 30 min", "1 h", "1 d"]);
  });
});

describe.each(["en", "de"] as const)("in %s, as the server writes it (tests/data/formats.json)", (code) => {
  const expected = formats[code];
  it("writes numbers and lists", () => {
    speakIn(code);
    expect(formats.values.map(number)).toEqual(expected.numbers);
    expect(formats.values.map(plain)).toEqual(expected.plain);
    expect([1, 2, 3].map((count) => choice([..."abc"].slice(0, count)))).toEqual(expected.choices);
  });
  it.each(Object.entries(expected.zones))("writes days, times and the zone %s", (zone, times) => {
    speakIn(code);
    liveIn(zone);
    const later = Date.UTC(2030, 1);
    expect(formats.moments.map((at) => `${day(at, later)} ${clock(at)} ${zoneName(at)}`)).toEqual(times);
  });
});

describe("a day", () => {
  it("is that of the zone, not that of the browser", () => {
    speakIn("en");
    liveIn("Pacific/Auckland");
    expect(when("2026-11-22T11:30:00Z", Date.parse("2026-11-22T10:00:00Z"))).toBe("23 Nov, 0:30");
    expect(whenThere("2026-11-22T09:30:00Z", Date.parse("2026-11-22T10:30:00Z"))).toBe("today, 22:30 GMT+13");
    expect(when("2026-11-22T10:30:00Z", Date.parse("2026-11-22T11:30:00Z"))).toBe("yesterday, 23:30");
  });
});
