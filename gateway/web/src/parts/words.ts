import type { Notice, Severity, Unit } from "../api/types";
import { t, type Key } from "../i18n/index.svelte";
import { replacedBy } from "../lib/campaign";
import type { IconName } from "./icons";

/** Icon, word and colour of each state: never colour alone. Red is for recalls only. */
export interface Mark {
  icon: IconName;
  word: Key;
  tone: "safety" | "warn" | "info" | "ok" | "";
}

export const STATES: Record<Unit["state"], Mark> = {
  recalled: { icon: "recall", word: "state-recalled", tone: "safety" },
  critical: { icon: "crit", word: "state-critical", tone: "warn" },
  checking: { icon: "warn", word: "state-checking", tone: "warn" },
  warning: { icon: "warn", word: "state-warning", tone: "warn" },
  update: { icon: "update", word: "state-update", tone: "info" },
  info: { icon: "info", word: "state-info", tone: "info" },
  fine: { icon: "ok", word: "state-fine", tone: "ok" },
  unknown: { icon: "unknown", word: "state-unknown", tone: "" },
};

export const SEVERITIES: Record<Severity, Mark> = {
  safety: { icon: "recall", word: "severity-safety", tone: "safety" },
  critical: { icon: "crit", word: "severity-critical", tone: "warn" },
  warning: { icon: "warn", word: "severity-warning", tone: "warn" },
  info: { icon: "info", word: "severity-info", tone: "info" },
};

const KINDS: Record<"recall" | "update" | "withdrawal", Mark> = {
  recall: { icon: "recall", word: "kind-recall", tone: "safety" },
  update: { icon: "update", word: "kind-update", tone: "info" },
  withdrawal: { icon: "info", word: "kind-withdrawal", tone: "info" },
};

export const CONNECTIONS: Record<Unit["connection"], { icon: IconName; word: Key; tone: "on" | "bad" | "idle" }> = {
  online: { icon: "online", word: "conn-online", tone: "on" },
  unhealthy: { icon: "late", word: "conn-unhealthy", tone: "bad" },
  offline: { icon: "offline", word: "conn-offline", tone: "idle" },
  unknown: { icon: "unknown", word: "conn-unknown", tone: "idle" },
};

export const CHANNELS: Record<string, { icon: IconName; word: Key }> = {
  email: { icon: "mail", word: "notice-by-email" },
  push: { icon: "push", word: "notice-by-push" },
  feed: { icon: "bell", word: "notice-by-feed" },
};

export const STATUSES: Record<string, Key> = {
  waiting: "notice-status-waiting",
  claimed: "notice-status-claimed",
  delivered: "notice-status-delivered",
  sent: "notice-status-delivered",
  failed: "notice-status-failed",
  skipped: "notice-status-skipped",
  unknown: "notice-status-unknown",
};

/** A unit says "Fine" only while it is heard: what is silent is not known to be fine. */
export const stateOf = (unit: Unit): Mark =>
  unit.state === "fine" && unit.connection !== "online" && unit.connection !== "unhealthy" ? STATES.unknown : STATES[unit.state];

/** The order in which units stand: what needs the owner first. */
export const UNIT_ORDER: readonly Unit["state"][] = ["recalled", "critical", "checking", "warning", "update", "info", "unknown", "fine"];

export const needsOwner = (unit: Unit): boolean => ["recalled", "critical", "checking", "warning"].includes(unit.state);
export const isOpen = (notice: Notice): boolean => notice.state === "open";
/** Kept in view until it is over or said to be done; a withdrawal, which asks for nothing, until it was read. */
export const isPinned = (notice: Notice): boolean => (isOpen(notice) && notice.kind !== "withdrawal") || !notice.read_at;

/** How a notice looks now: red only for a recall that still counts, and for an alarm about safety. */
export function markOf(notice: Notice): Mark {
  if (notice.state === "withdrawn")
    return { icon: replacedBy(notice) ? "repeat" : "out", word: replacedBy(notice) ? "campaign-replaced" : "campaign-withdrawn", tone: "" };
  if (notice.kind === "alarm") return notice.state === "resolved" ? { icon: "ok", word: "severity-resolved", tone: "ok" } : SEVERITIES[notice.severity];
  if (notice.state === "resolved" && notice.kind !== "withdrawal") return { icon: "ok", word: notice.kind === "update" ? "update-installed" : "campaign-closed", tone: "ok" };
  return KINDS[notice.kind];
}

/** The words of its mark. */
export const markWord = (notice: Notice): string => t(markOf(notice).word, { number: replacedBy(notice) });
