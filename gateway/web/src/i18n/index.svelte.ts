import { de } from "./de";
import { en, type Key } from "./en";

export type { Key } from "./en";
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "language";

const isLanguage = (text: string | null | undefined): text is Language => text === "en" || text === "de";
const wished = (): Language => {
  const kept = globalThis.localStorage?.getItem(KEPT);
  if (isLanguage(kept)) return kept;
  const first = globalThis.navigator?.language.slice(0, 2);
  return isLanguage(first) ? first : "en";
};

let current = $state<Language>(wished());

/** The language of the page; reading it in a template keeps the template current. */
export const language = (): Language => current;

/** Speak another language from now on, also after the next visit. */
export function speak(next: string | null | undefined): void {
  if (!isLanguage(next)) return;
  current = next;
  globalThis.localStorage?.setItem(KEPT, next);
  document.documentElement.lang = next;
}

type Values = Record<string, string | number>;

type Counted<K extends string> = K extends `${infer Stem}.many` ? Stem : never;

/** What says the strings of a catalog, in the language of the page. */
export function speaker<K extends string>(catalogs: Record<Language, Record<K, string>>) {
  /** A string of the catalog with its values filled in. */
  const t = (key: K, values: Values = {}): string =>
    catalogs[current][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  /** The singular or the plural of a counted string. */
  const many = (count: number, stem: Counted<K>, values: Values = {}): string =>
    t(`${stem}.${count === 1 ? "one" : "many"}` as K, { count, ...values });
  return { t, many };
}

export const { t, many } = speaker<Key>({ en, de });
