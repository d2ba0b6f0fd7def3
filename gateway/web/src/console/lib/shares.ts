import { locale } from "../../i18n/index.svelte";

/** The percentage widths of the parts of a bar. Nothing of nothing is empty; a part that is there stays to be seen. */
export function widths(parts: readonly number[]): number[] {
  const whole = parts.reduce((sum, part) => sum + Math.max(0, part), 0);
  return parts.map((part) => (whole > 0 ? (Math.max(0, part) / whole) * 100 : 0));
}

/** 65.8 %, never torn apart; nothing and all are whole, and nothing else is rounded to them. */
export function percent(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return "0\u202f%";
  if (part >= whole) return "100\u202f%";
  const shown = Math.min(99.9, Math.max(0.1, (part / whole) * 100));
  return `${new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(shown)}\u202f%`;
}

/** The number that somebody typed, however its thousands are parted; null when it is none. */
export function typedNumber(text: string): number | null {
  const digits = text.trim().replace(/[\s.,'’\u202f\u00a0]/g, "");
  return /^\d{1,9}$/.test(digits) ? Number(digits) : null;
}
