import { describe, expect, it } from "vitest";
import { mark, tags, within, type AlarmSpan } from "./marks";

const at = (minute: number) => new Date(minute * 60_000).toISOString();
const alarm = (id: string, onset: number, until: number | null): AlarmSpan => ({ id, title: id, severity: "warning", onset: at(onset), until: until === null ? null : at(until) });
const minutes = (from: number, to: number) => [from * 60_000, to * 60_000] as const;

describe("the alarms of a chart", () => {
  it("are those that touch its time, numbered from the oldest", () => {
    const all = [alarm("active", 55, null), alarm("over before", 1, 9), alarm("across the edge", 5, 11), alarm("later", 61, 62)];
    expect(within(all, minutes(10, 60)).map(({ id, number }) => [number, id])).toEqual([[1, "across the edge"], [2, "active"]]);
  });
  it("stand inside the plot, at least 4 px wide, an active one to its end", () => {
    const place = (onset: number, until: number | null) => within([alarm("a", onset, until)], minutes(0, 100)).map((one) => mark(one, minutes(0, 100), 200))[0];
    expect(place(50, 75)).toEqual({ left: 100, width: 50 });
    expect(place(50, 50.1)).toEqual({ left: 100, width: 4 });
    expect(place(90, null)).toEqual({ left: 180, width: 20 });
    expect(place(100, null)).toEqual({ left: 196, width: 4 });
    expect(place(-10, 25)).toEqual({ left: 0, width: 50 });
  });
});

describe("the labels of alarms", () => {
  const wide = (text: string) => text.length * 7;
  const labels = (count: number, gap: number) => tags(Array.from({ length: count }, (_, index) => ({ id: `${index}`, left: index * gap, width: 4, texts: [`${index} since 6:40`, `${index}`] })), 300, wide);
  it("stay inside the plot, also over a mark at its end", () => {
    expect(tags([{ id: "a", left: 296, width: 4, texts: ["since 6:40"] }], 300, wide)).toEqual([{ id: "a", text: "since 6:40", left: 230, width: 70 }]);
  });
  it("never overlap, however close the marks are", () => {
    for (const gap of [0, 1, 3, 10, 40, 90]) {
      const placed = labels(30, gap).sort((a, b) => a.left - b.left);
      expect(placed.length).toBeGreaterThan(0);
      placed.forEach((one, index) => expect(one.left - (placed[index - 1]?.left ?? -Infinity) - (placed[index - 1]?.width ?? 0), `gap ${gap}`).toBeGreaterThanOrEqual(8));
    }
  });
  it("give way to their number, and the newest keeps its words", () => {
    expect(labels(2, 60).map(({ text }) => text)).toEqual(["0", "1 since 6:40"]);
  });
  it("are left out where they are wider than the plot", () => {
    expect(tags([{ id: "a", left: 0, width: 4, texts: ["a title of many words"] }], 100, wide)).toEqual([]);
  });
});
