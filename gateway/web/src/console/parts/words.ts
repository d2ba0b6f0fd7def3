import type { Mark } from "../../parts/words";
import type { IconName } from "./icons";
import { type Key, language, languageName, languages, t } from "../../i18n/index.svelte";
import { CONTACTS, type Step, type TextField } from "../lib/typed";
import type { CampaignLine, Check, Kind, RecallContent } from "../types";

/** Icon and word of each kind and state: never colour alone; red only for a recall that people are told of now. */
export const KINDS: Record<Kind, { icon: IconName; word: Key }> = {
  recall: { icon: "recall", word: "console-kind-recall" },
  update: { icon: "down", word: "console-kind-update" },
  withdrawal: { icon: "repeat", word: "console-kind-withdrawal" },
};

type Shown = { icon: IconName; tone: Mark["tone"]; word: string };

export function stateOf({ kind, state }: Pick<CampaignLine, "kind" | "state">): Shown {
  const name = t(KINDS[kind].word);
  if (state === "draft") return { icon: "doc", tone: "", word: t("console-state-draft") };
  if (state === "superseded") return { icon: "repeat", tone: "", word: t("console-state-superseded", { kind: name }) };
  if (state === "withdrawn") return { icon: "x", tone: "", word: t("console-state-withdrawn", { kind: name }) };
  if (kind === "recall") return { icon: "recall", tone: "safety", word: t("console-state-live", { kind: name }) };
  return { icon: KINDS[kind].icon, tone: "info", word: kind === "update" ? t("console-state-live", { kind: name }) : name };
}

export const CHANNELS: Record<string, { icon: IconName; word: Key }> = {
  email: { icon: "mail", word: "console-channel-email" },
  push: { icon: "push", word: "console-channel-push" },
  feed: { icon: "bell", word: "console-channel-feed" },
};

export const ACTIONS: NonNullable<RecallContent["action"]>[] = ["stop_using", "unplug", "keep_using_until_replaced"];
export const REMEDIES: RecallContent["remedies"] = ["repair", "replacement", "refund"];

/** The name of a step, by what the campaign is. */
export const stepWord = (step: Step, kind: Kind): Key =>
  step === "hazard" || step === "action" ? `console-step-${step}-${kind}` : `console-step-${step}`;

/** The name of a text: what an update asks of the owner is not how a recall's action is done. */
export const textWord = (field: TextField, kind: Kind): string =>
  t(field === "action_text" && kind === "update" ? "console-field-action_text-update" : `console-field-${field}`);

/** The name of a field of a check, for people: "Hazard, German". */
export function fieldWord(field: string, kind: Kind): string {
  const [first, name = "", rest] = field.split(".");
  if (field === "supersedes") return t("console-field-supersedes");
  if (first !== "content") return t(first === "product" ? "console-field-product" : "console-field-audience");
  if (name === "contact") return CONTACTS.some((way) => way === rest) ? t(`console-field-${rest as (typeof CONTACTS)[number]}`) : t("console-field-contact");
  if (name === "action" || name === "remedies") return t(`console-field-${name}`);
  const word = textWord(name as TextField, kind);
  return rest && languages().some(({ code }) => code === rest) ? t("console-field-in", { field: word, language: languageName(rest) }) : word;
}

const SAYS: Record<string, Key> = {
  "content.action": "console-check-action",
  "content.remedies": "console-check-remedies",
  "content.contact": "console-check-contact",
  "content.contact.email": "console-check-email",
  "content.contact.url": "console-check-url",
  "audience": "console-check-audience",
  "audience.lots": "console-check-unknown",
  "audience.serials": "console-check-unknown",
  "supersedes": "console-check-supersedes",
};

/** What a check says. The server says it in English; what we know of the field says it in the reader's language. */
export function checkWord({ field, message, blocks }: Check): string {
  if (language() === "en") return message;
  if (field === "audience.below") return t(blocks ? "console-check-version" : "console-check-firmware");
  const written = /^content\.[a-z_]+\.([a-z]{2}[\w-]*)$/.exec(field)?.[1];
  if (written) return t("console-check-text", { language: languageName(written) });
  return SAYS[field] ? t(SAYS[field]) : message;
}

/** Why a unit is in an audience, which the server says in English. */
export function matchedWord(matched: string): string {
  const [, by, what = ""] = /^(lot|firmware|serial) (.+)$/.exec(matched) ?? [];
  if (by === "lot") return t("console-unit-by-lot", { lot: what });
  if (by === "firmware") return t("console-unit-by-firmware", { firmware: what });
  return by ? t("console-unit-by-list") : matched;
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
