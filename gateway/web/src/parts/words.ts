import type { Notice, Severity, Unit } from "../api/types";
import type { Key } from "../i18n/index.svelte";
import type { IconName } from "./icons";

/** Icon, word and colour of each state: never colour alone. Red is for recalls only. */
export interface Mark {
  icon: IconName;
  word: Key;
  tone: "safety" | "warn" | "info" | "ok" | "";
}

export const STATES: Record<Unit["state"], Mark> = {
  critical: { icon: "crit", word: "state.critical", tone: "warn" },
  warning: { icon: "warn", word: "state.warning", tone: "warn" },
  info: { icon: "info", word: "state.info", tone: "info" },
  fine: { icon: "ok", word: "state.fine", tone: "ok" },
  unknown: { icon: "unknown", word: "state.unknown", tone: "" },
};

export const SEVERITIES: Record<Severity, Mark> = {
  safety: { icon: "recall", word: "severity.safety", tone: "safety" },
  critical: { icon: "crit", word: "severity.critical", tone: "warn" },
  warning: { icon: "warn", word: "severity.warning", tone: "warn" },
  info: { icon: "info", word: "severity.info", tone: "info" },
};

export const CONNECTIONS: Record<Unit["connection"], { icon: IconName; word: Key; tone: "on" | "bad" | "idle" }> = {
  online: { icon: "online", word: "conn.online", tone: "on" },
  unhealthy: { icon: "late", word: "conn.unhealthy", tone: "bad" },
  offline: { icon: "offline", word: "conn.offline", tone: "idle" },
  unknown: { icon: "unknown", word: "conn.unknown", tone: "idle" },
};

export const CHANNELS: Record<string, { icon: IconName; word: Key }> = {
  email: { icon: "mail", word: "notice.by.email" },
  push: { icon: "push", word: "notice.by.push" },
  feed: { icon: "bell", word: "notice.by.feed" },
};

export const STATUSES: Record<string, Key> = {
  waiting: "notice.status.waiting",
  claimed: "notice.status.claimed",
  delivered: "notice.status.delivered",
  sent: "notice.status.delivered",
  failed: "notice.status.failed",
  skipped: "notice.status.skipped",
  unknown: "notice.status.unknown",
};

/** A unit says "Fine" only while it is heard: what is silent is not known to be fine. */
export const stateOf = (unit: Unit): Mark =>
  unit.state === "fine" && unit.connection !== "online" && unit.connection !== "unhealthy" ? STATES.unknown : STATES[unit.state];

export const needsHim = (unit: Unit): boolean => unit.state === "critical" || unit.state === "warning";
export const isOpen = (notice: Notice): boolean => notice.state === "open";
/** Kept in view until it is over or he said that he did it. */
export const isPinned = (notice: Notice): boolean => isOpen(notice) || !notice.read_at;
