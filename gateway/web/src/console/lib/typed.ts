import { languages } from "../../i18n/index.svelte";
import type { Audience, Campaign, Check, Contact, Content, Draft, Kind, RecallContent } from "../types";
import { serialsOf } from "./serials";

/** A draft as it stands in the form: every field is there, and each kind of audience keeps what was typed into it. */
export type Texts = Record<string, string>;
export type TextField = "title" | "hazard" | "changes" | "reason" | "action_text" | "remedy_text";

export interface Typed {
  product: string;
  texts: Record<TextField, Texts>;
  action: RecallContent["action"];
  remedies: RecallContent["remedies"];
  contact: Record<keyof Contact, string>;
  by: Audience["by"];
  lots: string[];
  serials: string;
  below: string;
}

/** The codes of the languages that a campaign can be written in. */
export const spoken = (): string[] => languages().map(({ code }) => code);

export const FIELDS: Record<Kind, readonly TextField[]> = {
  recall: ["title", "hazard", "action_text", "remedy_text"],
  update: ["title", "changes", "action_text"],
  withdrawal: ["title", "reason"],
};
export const CONTACTS = ["phone", "email", "url"] as const;

const noText = (): Texts => Object.fromEntries(spoken().map((code) => [code, ""]));

/** The form of a draft that the server has. */
export function typedOf({ product, content, audience }: Pick<Campaign, "product" | "content" | "audience">): Typed {
  const written = content as Partial<Record<TextField, Record<string, string>>>;
  const read = (field: TextField): Texts => ({ ...noText(), ...written[field] });
  return {
    product: product.code,
    texts: { title: read("title"), hazard: read("hazard"), changes: read("changes"), reason: read("reason"), action_text: read("action_text"), remedy_text: read("remedy_text") },
    action: content.kind === "recall" ? content.action : null,
    remedies: content.kind === "recall" ? content.remedies : [],
    contact: { phone: content.contact.phone ?? "", email: content.contact.email ?? "", url: content.contact.url ?? "" },
    by: audience?.by ?? (content.kind === "update" ? "firmware" : "lots"),
    lots: audience?.by === "lots" ? audience.lots : [],
    serials: audience?.by === "serials" ? audience.serials.join("\n") : "",
    below: audience?.by === "firmware" ? audience.below : "",
  };
}

export function audienceOf(typed: Typed, kind: Kind): Audience | null {
  if (kind === "withdrawal") return null;
  if (typed.by === "lots") return typed.lots.length ? { by: "lots", lots: typed.lots } : null;
  if (typed.by === "firmware") return typed.below.trim() ? { by: "firmware", below: typed.below.trim() } : null;
  const serials = serialsOf(typed.serials);
  return serials.length ? { by: "serials", serials } : null;
}

function contentOf(typed: Typed, kind: Kind): Content {
  const text = (field: TextField) => typed.texts[field];
  const or = (value: string) => value.trim() || null;
  const contact: Contact = { phone: or(typed.contact.phone), email: or(typed.contact.email), url: or(typed.contact.url) };
  if (kind === "withdrawal") return { kind, title: text("title"), reason: text("reason"), contact };
  if (kind === "update") return { kind, title: text("title"), changes: text("changes"), action_text: text("action_text"), contact };
  const { action, remedies } = typed;
  return { kind, title: text("title"), hazard: text("hazard"), action, action_text: text("action_text"), remedies, remedy_text: text("remedy_text"), contact };
}

/** A text as it would be kept; empty where there is none. */
export const textIn = (typed: Typed, field: TextField, language: string): string => typed.texts[field][language]?.trim() ?? "";

/** What is sent to be kept. */
export const draftOf = (typed: Typed, kind: Kind, supersedes: string | null): Draft => ({
  product: typed.product,
  content: contentOf(typed, kind),
  audience: audienceOf(typed, kind),
  supersedes,
});

/** A draft of this kind with nothing in it yet. */
export const blank = (product: string): Typed => ({
  product,
  texts: { title: noText(), hazard: noText(), changes: noText(), reason: noText(), action_text: noText(), remedy_text: noText() },
  action: null,
  remedies: [],
  contact: { phone: "", email: "", url: "" },
  by: "lots",
  lots: [],
  serials: "",
  below: "",
});

/** A draft that replaces a published campaign begins as its copy. */
export const replacement = (of: Campaign): Draft => ({ product: of.product.code, content: of.content, audience: of.audience, supersedes: of.id });

/** A draft that takes a published campaign back keeps its title and contact; the reason is to be written. */
export const withdrawal = (of: Campaign): Draft => ({
  product: of.product.code,
  content: { kind: "withdrawal", title: of.content.title, reason: {}, contact: of.content.contact },
  audience: null,
  supersedes: of.id,
});

/** The fields, by the names of the checks, in which two versions differ. */
export function differences(mine: Typed, theirs: Typed, kind: Kind): string[] {
  const fields = FIELDS[kind].flatMap((field) => spoken().filter((language) => textIn(mine, field, language) !== textIn(theirs, field, language)).map((language) => `content.${field}.${language}`));
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (kind === "recall" && mine.action !== theirs.action) fields.push("content.action");
  if (kind === "recall" && !same([...mine.remedies].sort(), [...theirs.remedies].sort())) fields.push("content.remedies");
  for (const way of CONTACTS) if (mine.contact[way].trim() !== theirs.contact[way].trim()) fields.push(`content.contact.${way}`);
  if (mine.product !== theirs.product) fields.push("product");
  if (!same(audienceOf(mine, kind), audienceOf(theirs, kind))) fields.push("audience");
  return fields;
}

export type Step = "hazard" | "action" | "audience" | "languages" | "approval";
export const STEPS: readonly Step[] = ["hazard", "action", "audience", "languages", "approval"];

/** The step in which the field of a check is mended: a text that only another language misses belongs to the languages. */
export function stepOf(field: string): Step {
  if (/\.(?!en$)[a-z]{2}$/.test(field)) return "languages";
  if (/^content\.(title|hazard|changes|reason)/.test(field)) return "hazard";
  if (/^content\./.test(field)) return "action";
  if (/^(audience|product)/.test(field)) return "audience";
  return "approval";
}

/** How many checks of each step hold up publishing. */
export function blocking(checks: readonly Check[]): Record<Step, number> {
  const counted: Record<Step, number> = { hazard: 0, action: 0, audience: 0, languages: 0, approval: 0 };
  for (const check of checks) if (check.blocks) counted[stepOf(check.field)] += 1;
  return counted;
}

/** The texts that this language does not have yet; how to get the remedy need not be said at all. */
export function missingTexts(typed: Typed, kind: Kind, language: string): TextField[] {
  const isAsked = (field: TextField) => field !== "remedy_text" || spoken().some((code) => textIn(typed, field, code));
  return FIELDS[kind].filter((field) => isAsked(field) && !textIn(typed, field, language));
}
