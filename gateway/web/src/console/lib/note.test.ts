import { afterEach, expect, test, vi } from "vitest";
import { keepDraft, newDraft, readDraft } from "./note";

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};
afterEach(() => {
  kept.clear();
  vi.unstubAllGlobals();
});

test("a draft comes back as it was, with the id by which a second try is known", () => {
  vi.stubGlobal("sessionStorage", storage);
  const draft = { ...newDraft(), text: "Asked for water", kind: "call" as const, since: "2026-11-29T14:06:00Z" };
  keepDraft("note?person=ada", draft);
  expect(readDraft("note?person=ada")).toEqual(draft);
  expect(readDraft("note?person=bob")).toBeNull();
});

test("an empty draft is not kept, and no storage is no trouble", () => {
  vi.stubGlobal("sessionStorage", storage);
  keepDraft("note", { ...newDraft(), text: "x" });
  keepDraft("note", newDraft());
  expect(readDraft("note")).toBeNull();
  vi.stubGlobal("sessionStorage", { getItem: () => "{" });
  expect(readDraft("note")).toBeNull();
  expect(() => keepDraft("note", { ...newDraft(), text: "x" })).not.toThrow();
});

test("two drafts have different ids", () => expect(newDraft().id).not.toBe(newDraft().id));
