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
  try {
    const kept = sessionStorage.getItem(key);
    return kept ? { ...newDraft(), ...(JSON.parse(kept) as Partial<NoteDraft>) } : null;
  } catch {
    return null; // no storage here, or something else in it
  }
}

export function keepDraft(key: string, draft: NoteDraft): void {
  try {
    if (draft.text || draft.since) sessionStorage.setItem(key, JSON.stringify(draft));
    else sessionStorage.removeItem(key);
  } catch {
    // without storage it stays on the page only
  }
}
