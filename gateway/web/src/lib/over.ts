import type { AlarmNotice, Notice } from "../api/types";
import { t } from "../i18n/index.svelte";
import { isAlarm } from "./campaign";
import { amount, clock, number } from "./format";

/** Whether it was measured that it is right again; else it ended for another reason, say because the unit was given up. */
const isRight = ({ why }: AlarmNotice): boolean => why.cleared_at != null && why.cleared_value != null;

/** The title of a notice as its state is: what is over is told as past. */
export function titleOf(notice: Notice): string {
  if (!isAlarm(notice) || notice.state !== "resolved") return notice.title;
  return t(isRight(notice) ? "notice-over-title" : "notice-over-ended", { what: notice.why.title, title: notice.title });
}

/** What was, and until when; empty where it did not end by a measurement. */
export function overText(notice: AlarmNotice): string {
  const { onset, cleared_at, cleared_value, unit } = notice.why;
  if (!isRight(notice) || cleared_at == null || cleared_value == null) return "";
  return t("notice-over-text", { value: amount(number(cleared_value), unit), begin: clock(onset), end: clock(cleared_at) });
}
