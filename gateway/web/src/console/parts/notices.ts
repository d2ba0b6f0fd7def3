import type { Mark } from "../../parts/words";
import { SEVERITIES } from "../../parts/words";
import type { NoticeLine } from "../types";
import { KINDS } from "./words";

/** How a notice, or a campaign, looks in a list: what is over is not marked by how grave it was. */
export function noticeMark(notice: Pick<NoticeLine, "kind" | "state" | "severity">): Mark {
  if (notice.kind === "alarm") return notice.state === "open" ? SEVERITIES[notice.severity ?? "info"] : { icon: "ok", word: "severity-resolved", tone: "ok" };
  if (notice.state === "open") return { icon: KINDS[notice.kind].icon, word: KINDS[notice.kind].word, tone: notice.kind === "recall" ? "safety" : "info" } as Mark;
  return { icon: "out", word: "console-notices-over", tone: "" };
}
