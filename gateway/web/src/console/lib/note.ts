import { draftOf, keepDraft as keepText } from "./draft";

/** A note in writing: it survives a reload of this tab, and a second try of sending it is known by its id. */
export interface NoteDraft {
  id: string;
  kind: "note" | "call";
  text: string;
  direction: "in" | "out";
  /** When the call began. */
  since: string | null;
}

export function newDraft(): NoteDraft {
  const id = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { id, kind: "note", text: "", direction: "in", since: null };
}

export function readDraft(key: string): NoteDraft | null {
  const kept = draftOf(key);
  try {
    return kept ? { ...newDraft(), ...(JSON.parse(kept) as Partial<NoteDraft>) } : null;
  } catch {
    return null; // something else is kept there
  }
}

export const keepDraft = (key: string, draft: NoteDraft): void => keepText(key, draft.text || draft.since ? JSON.stringify(draft) : "");
