import { t } from "../../i18n/index.svelte";

/** Why a message is in quarantine: those that have words here. */
const REASONS = [
  "bad_topic", "unknown_product", "unknown_unit", "too_large", "bad_json", "bad_shape", "bad_firmware", "bad_seq", "empty",
  "too_many_readings", "too_many_days", "bad_time", "no_time", "same_time", "future_time", "too_old", "unknown_metric", "not_a_number", "out_of_range", "refused_by_store",
] as const;

/** What a reason is called and what mends it; one without words here goes by its code. */
export function reasonWords(reason: string): { name: string; mend: string } {
  const known = REASONS.find((one) => one === reason);
  return known ? { name: t(`console-reason-${known}`), mend: t(`console-mend-${known}`) } : { name: reason, mend: "" };
}
