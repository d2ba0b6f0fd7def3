/** What somebody types and has not sent yet: it stays in this tab, also over a reload. */
export function draftOf(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

export function keepDraft(key: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // as above: then it is kept while the page is open
  }
}
