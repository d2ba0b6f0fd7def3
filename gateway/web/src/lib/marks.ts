import type { Range } from "./scale";

/** An alarm as a chart marks it; `until` is null while it is active. */
export interface AlarmSpan {
  id: string;
  title: string;
  onset: string;
  until: string | null;
  severity: string;
}

/** A limit of a rule, as a dashed line with its words in the legend. */
export interface Limit {
  value: number;
  label: string;
}

/** An alarm within the time of a chart; its number, counted from the oldest, stands at the mark and in the table. */
export interface NumberedSpan extends AlarmSpan {
  number: number;
  from: number;
  to: number;
}

/** Where a span stands, in pixels from the left of the plot. */
export interface Mark {
  left: number;
  width: number;
}

export interface Tag extends Mark {
  id: string;
  text: string;
}

const LEAST = 4;
const GAP = 8;

/** The alarms that were active at some time of a chart, the oldest first; those without an end reach its end. */
export function within(alarms: readonly AlarmSpan[], [from, to]: Range): NumberedSpan[] {
  return alarms
    .map((alarm) => ({ ...alarm, from: Date.parse(alarm.onset), to: alarm.until === null ? Infinity : Date.parse(alarm.until) }))
    .filter((alarm) => alarm.from <= to && alarm.to >= from)
    .sort((a, b) => a.from - b.from)
    .map((alarm, index) => ({ ...alarm, number: index + 1 }));
}

/** Where a span stands on a plot of this width: inside it, and wide enough to be seen. */
export function mark(span: { from: number; to: number }, [from, to]: Range, width: number): Mark {
  const x = (at: number) => Math.min(1, Math.max(0, (at - from) / (to - from || 1))) * width;
  const left = Math.min(x(span.from), width - LEAST);
  return { left, width: Math.max(LEAST, x(span.to) - left) };
}

/** Labels over their marks, the newest first: the first text that fits beside those that stand, or none. */
export function tags(
  marks: readonly (Mark & { id: string; texts: readonly string[] })[],
  width: number,
  wide: (text: string) => number,
): Tag[] {
  const placed: Tag[] = [];
  for (const { id, texts, ...mark } of [...marks].reverse()) {
    for (const text of texts) {
      const size = wide(text);
      const left = Math.max(0, Math.min(mark.left, width - size));
      if (size > width || placed.some((other) => left < other.left + other.width + GAP && other.left < left + size + GAP)) continue;
      placed.push({ id, text, left, width: size });
      break;
    }
  }
  return placed.reverse();
}
