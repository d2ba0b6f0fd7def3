import { FluentBundle, FluentResource } from "@fluent/bundle";
import type { components } from "../api/schema";
import type { Key } from "./keys";

export type { Key } from "./keys";
export type Language = Pick<components["schemas"]["Language"], "code" | "name" | "locale">;
type Offered = components["schemas"]["Language"];
export type Values = Record<string, string | number>;

const KEPT = "language";
const ENGLISH: Language = { code: "en", name: "English", locale: "en-GB" };
const AGAIN_MS = 3_000;

let part: "app" | "console" = "app";
let offered = $state.raw<Offered[]>([]);
let spoken = $state.raw<{ language: Language; words: FluentBundle }>({ language: ENGLISH, words: new FluentBundle("en") });

/** The code of the page's language; reading it in a template keeps the template current. */
export const language = (): string => spoken.language.code;
/** By what numbers, dates and lists are written. */
export const locale = (): string => spoken.language.locale;
/** Every language that there are words for, English first. */
export const languages = (): readonly Language[] => offered;
/** What a language is called in the page's language. */
export const languageName = (code: string): string => new Intl.DisplayNames(locale(), { type: "language", fallback: "code" }).of(code) ?? code;

/** A text with its values; a number chooses the plural and is written as the language writes it. */
export function t(key: Key, values: Values = {}): string {
  const pattern = spoken.words.getMessage(key)?.value;
  return pattern ? spoken.words.formatPattern(pattern, values, []) : key;
}

/** A text that there may not be, like that of a code from the server. */
export const known = (key: string): key is Key => spoken.words.hasMessage(key);

/** These languages can be chosen. */
export const offer = (found: Offered[]): void => void (offered = found);

/** Use these words from now on. */
export function use(next: Language, source: string): void {
  const words = new FluentBundle(next.locale, { useIsolating: false });
  words.addResource(new FluentResource(source));
  spoken = { language: next, words };
}

/** Speak another language from now on, also at the next visit; one without words changes nothing. */
export async function speak(code: string | null | undefined): Promise<void> {
  const next = offered.find((each) => each.code === code);
  if (!next) return;
  globalThis.localStorage?.setItem(KEPT, next.code);
  await learn(next);
}

/** Load the words of the browser's language; until they are there, nothing can be shown. */
export async function start(which: typeof part): Promise<void> {
  part = which;
  for (;;) {
    try {
      offer((await (await ok(fetch("/api/languages"))).json()) as Offered[]);
      return await learn(wished());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function learn(next: Offered): Promise<void> {
  if (next.code !== spoken.language.code || !spoken.words.hasMessage("language-name")) use(next, await (await ok(fetch(next[part]))).text());
  document.documentElement.lang = next.code;
}

async function ok(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (!response.ok) throw new Error(String(response.status));
  return response;
}

/** The language kept from the last visit, else the first of the browser's that there are words for. */
function wished(): Offered {
  const codes = [globalThis.localStorage?.getItem(KEPT) ?? "", ...navigator.languages.flatMap((each) => [each, each.split("-")[0] ?? ""])];
  const code = codes.find((each) => offered.some((one) => one.code === each));
  const found = offered.find((each) => each.code === code) ?? offered[0];
  if (!found) throw new Error("no language");
  return found;
}
