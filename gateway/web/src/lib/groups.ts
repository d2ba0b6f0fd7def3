import type { Notice } from "../api/types";

/** The notices of one message about several units; one of its own has no others. */
export interface Group<N extends Notice> {
  notice: N;
  others: N[];
  /** How many units the message is about, also those whose notices are not loaded. */
  size: number;
}

/** Notices in groups, each where its first one stands. */
export function grouped<N extends Notice>(notices: N[]): Group<N>[] {
  const groups = new Map<string, Group<N>>();
  for (const notice of notices) {
    const key = notice.group ?? notice.id;
    const group = groups.get(key);
    if (group) group.others.push(notice);
    else groups.set(key, { notice, others: [], size: notice.group_size ?? 1 });
  }
  return [...groups.values()];
}
