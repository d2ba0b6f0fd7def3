import { type Key, known, t } from "../../i18n/index.svelte";
import type { IconName } from "../parts/icons";
import type { RecordNotice } from "../types";

/** A step of what became of a notice; `at` is missing where it has no time of its own. */
export interface TrailStep {
  icon: IconName;
  word: string;
  at: string | null;
  tone: "" | "bad" | "ok";
}
const STEPS: Record<RecordNotice["deliveries"][number]["status"], [part: string, icon: IconName, tone: TrailStep["tone"]]> = {
  delivered: ["sent", "check", ""],
  waiting: ["waiting", "clock", ""],
  claimed: ["waiting", "clock", ""],
  failed: ["failed", "warn", "bad"],
  unknown: ["unknown", "warn", "bad"],
  skipped: ["skipped", "x", ""],
};
const ICONS: Record<string, IconName> = { email: "mail", push: "push" };

/** What became of a notice, in the order of time: held, sent, opened, seen, confirmed; what did not happen is said. */
export function trail(notice: RecordNotice): TrailStep[] {
  const steps: TrailStep[] = [];
  if (notice.held_until) steps.push({ icon: "clock", word: t("console-record-held", { until: "" }).trim(), at: notice.held_until, tone: "" });
  for (const { channel, status, at, reason } of notice.deliveries) {
    const [part, icon, tone] = STEPS[status];
    const key = `console-record-${part}-${channel}`;
    const word = known(key) ? t(key as Key) : t("console-record-told-other", { channel });
    const why = status === "delivered" || status === "claimed" || !reason ? "" : ` (${reason})`;
    steps.push({ icon: status === "delivered" ? (ICONS[channel] ?? icon) : icon, word: word + why, at, tone });
  }
  const [opened] = notice.opened;
  if (opened) steps.push({ icon: "eye", word: t("console-record-opened"), at: opened.at, tone: "ok" });
  else if (notice.read_at) steps.push({ icon: "eye", word: t("console-record-seen"), at: notice.read_at, tone: "ok" });
  if (notice.acknowledged_at) steps.push({ icon: "ok", word: t("console-record-acknowledged"), at: notice.acknowledged_at, tone: "ok" });
  steps.sort((a, b) => Date.parse(a.at ?? "") - Date.parse(b.at ?? ""));
  if (notice.untold_because) steps.push({ icon: "x", word: t("console-record-untold", { reason: notice.untold_because }), at: null, tone: "" });
  else if (!opened && !notice.read_at) steps.push({ icon: "eye", word: t("console-record-unopened"), at: null, tone: "" });
  return steps;
}
