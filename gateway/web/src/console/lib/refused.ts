import type { QuarantineCount } from "../types";

/** Whose message it is, by its topic; null for a topic that is none of ours. */
export function senderOf(topic: string): { product: string; serial: string } | null {
  const [, product, serial] = /^m2m\/v1\/([^/]+)\/([^/]+)\/(?:telemetry|status)$/.exec(topic) ?? [];
  return product && serial ? { product, serial } : null;
}

const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A device's words as nothing but words: a sign that is not seen, or turns the others, shows as its number, like ⟨1B⟩. */
export const printable = (text: string): string =>
  text.replace(UNSEEN, (sign) => `⟨${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}⟩`);

/** Whether some bytes were no text; the server replaced them. */
export const hasBytes = (payload: string): boolean => payload.includes("\ufffd");

/** The `before` of a page that begins with this message. */
export const from = (id: string): string => String(BigInt(id) + 1n);

export const isNewer = (id: string, than: string): boolean => BigInt(id) > BigInt(than);

/** What there is most of first; then what came last. */
export const worstFirst = (counts: readonly QuarantineCount[]): QuarantineCount[] =>
  counts.toSorted((a, b) => b.here - a.here || (b.last_at ?? "").localeCompare(a.last_at ?? "") || a.reason.localeCompare(b.reason));

export const allHere = (counts: readonly QuarantineCount[]): number => counts.reduce((sum, one) => sum + one.here, 0);
