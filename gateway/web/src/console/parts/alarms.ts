import type { Key } from "../../i18n/index.svelte";
import { t } from "../../i18n/index.svelte";
import { plain } from "../../lib/format";
import type { Mark } from "../../parts/words";
import { SEVERITIES } from "../../parts/words";
import type { Alarm, AlarmAct } from "../types";

export type Standing = Alarm["standing"];

export const STANDINGS: Standing[] = ["active", "acknowledged", "cleared", "closed"];

/** How many of something, where not all are counted. */
export const atLeast = ({ count, more }: { count: number; more: boolean }): string => (more ? t("console-alarms-more", { count: plain(count) }) : plain(count));

/** Icon, word and colour of an alarm: what is over is no longer marked by its severity. */
export function markOf(alarm: Pick<Alarm, "severity" | "cleared_at">): Mark {
  const severity = SEVERITIES[alarm.severity];
  return alarm.cleared_at ? { ...severity, icon: "ok", tone: "ok" } : severity;
}

export const stateWord = (alarm: Pick<Alarm, "cleared_at">): string => t(alarm.cleared_at ? "console-alarm-state-cleared" : "console-alarm-state-active");

const ACTS: Record<AlarmAct["act"], Key> = {
  acknowledge: "console-alarm-act-acknowledge",
  unacknowledge: "console-alarm-act-unacknowledge",
  assign: "console-alarm-act-assign",
  comment: "console-alarm-act-comment",
  verdict: "console-alarm-act-verdict",
  resolve: "console-alarm-act-resolve",
  reopen: "console-alarm-act-reopen",
};

/** What somebody did, in a line. */
export function actWords(act: AlarmAct): string {
  if (act.act === "assign" && !act.assignee) return t("console-alarm-act-unassign", { who: act.by });
  if (act.act === "verdict" && !act.verdict) return t("console-alarm-act-unjudge", { who: act.by });
  const verdict = act.verdict ? t(`console-alarm-verdict-${act.verdict}`) : "";
  return t(ACTS[act.act], { who: act.by, assignee: act.assignee ?? "", verdict });
}
