import type { Mark } from "../../parts/words";
import type { IconName } from "./icons";
import { t, type Key } from "../i18n";
import { CONTACTS, type Step, type TextField } from "../lib/typed";
import { language, LANGUAGES, type Language } from "../../i18n/index.svelte";
import type { CampaignLine, Check, Kind, RecallContent } from "../types";

/** Icon and word of each kind and state: never colour alone; red only for a recall that people are told of now. */
export const KINDS: Record<Kind, { icon: IconName; word: Key }> = {
  recall: { icon: "recall", word: "kind.recall" },
  update: { icon: "down", word: "kind.update" },
  withdrawal: { icon: "repeat", word: "kind.withdrawal" },
};

type Shown = { icon: IconName; tone: Mark["tone"]; word: string };

export function stateOf({ kind, state }: Pick<CampaignLine, "kind" | "state">): Shown {
  const name = t(KINDS[kind].word);
  if (state === "draft") return { icon: "doc", tone: "", word: t("state.draft") };
  if (state === "superseded") return { icon: "repeat", tone: "", word: t("state.superseded", { kind: name }) };
  if (state === "withdrawn") return { icon: "x", tone: "", word: t("state.withdrawn", { kind: name }) };
  if (kind === "recall") return { icon: "recall", tone: "safety", word: t("state.live", { kind: name }) };
  return { icon: KINDS[kind].icon, tone: "info", word: kind === "update" ? t("state.live", { kind: name }) : name };
}

export const CHANNELS: Record<string, { icon: IconName; word: Key }> = {
  email: { icon: "mail", word: "channel.email" },
  push: { icon: "push", word: "channel.push" },
  feed: { icon: "bell", word: "channel.feed" },
};

export const ACTIONS: NonNullable<RecallContent["action"]>[] = ["stop_using", "unplug", "keep_using_until_replaced"];
export const REMEDIES: RecallContent["remedies"] = ["repair", "replacement", "refund"];

/** The name of a step, by what the campaign is. */
export const stepWord = (step: Step, kind: Kind): Key =>
  step === "hazard" || step === "action" ? `step.${step}.${kind}` : `step.${step}`;

/** The name of a text: what an update asks of the owner is not how a recall's action is done. */
export const textWord = (field: TextField, kind: Kind): string =>
  t(field === "action_text" && kind === "update" ? "field.action_text.update" : `field.${field}`);

/** The name of a field of a check, for people: "Hazard, German". */
export function fieldWord(field: string, kind: Kind): string {
  const [first, name = "", rest] = field.split(".");
  if (field === "supersedes") return t("field.supersedes");
  if (first !== "content") return t(first === "product" ? "field.product" : "field.audience");
  if (name === "contact") return CONTACTS.some((way) => way === rest) ? t(`field.${rest as (typeof CONTACTS)[number]}`) : t("field.contact");
  if (name === "action" || name === "remedies") return t(`field.${name}`);
  const word = textWord(name as TextField, kind);
  return rest && rest in LANGUAGES ? t("field.in", { field: word, language: t(`lang.${rest as Language}`) }) : word;
}

const SAYS: Record<string, Key> = {
  "content.action": "check.action",
  "content.remedies": "check.remedies",
  "content.contact": "check.contact",
  "content.contact.email": "check.email",
  "content.contact.url": "check.url",
  "audience": "check.audience",
  "audience.lots": "check.unknown",
  "audience.serials": "check.unknown",
  "supersedes": "check.supersedes",
};

/** What a check says. The server says it in English; what we know of the field says it in the reader's language. */
export function checkWord({ field, message, blocks }: Check): string {
  if (language() === "en") return message;
  if (field === "audience.below") return t(blocks ? "check.version" : "check.firmware");
  const written = /^content\.[a-z_]+\.([a-z]{2})$/.exec(field)?.[1];
  if (written) return t("check.text", { language: written in LANGUAGES ? t(`lang.${written as Language}`) : written });
  return SAYS[field] ? t(SAYS[field]) : message;
}

/** Why a unit is in an audience, which the server says in English. */
export function matchedWord(matched: string): string {
  const [, by, what = ""] = /^(lot|firmware|serial) (.+)$/.exec(matched) ?? [];
  if (by === "lot") return t("unit.by.lot", { lot: what });
  if (by === "firmware") return t("unit.by.firmware", { firmware: what });
  return by ? t("unit.by.list") : matched;
}

/** Show a field and give it the focus; a field without an element of its own stands for the part it is in. */
export function goTo(field: string, step: string): void {
  let name = field;
  let found = document.getElementById(name);
  while (!found && name.includes(".")) found = document.getElementById((name = name.slice(0, name.lastIndexOf("."))));
  found ??= document.getElementById(step);
  if (!found) return;
  const part = found.matches("input, textarea, select, [tabindex]") ? found : (found.querySelector<HTMLElement>("input, textarea, select") ?? found);
  part.scrollIntoView({ block: "center" });
  part.focus({ preventScroll: true });
}
