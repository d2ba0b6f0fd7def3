import type { AlarmNotice, CampaignNotice, Notice, Unit } from "../api/types";
import { t } from "../i18n/index.svelte";
import { choice } from "./format";

export const isAlarm = (notice: Notice): notice is AlarmNotice => notice.why !== null;
export const isCampaign = (notice: Notice): notice is CampaignNotice => notice.campaign !== null;

/** What to do: a first step in bold, the steps behind it, and what the owner gets. */
export interface Todo {
  action: string;
  rest: string[];
  remedy: string;
}

export function todo({ campaign }: CampaignNotice): Todo {
  const action = campaign.action ? t(`recall-action-${campaign.action}`) : "";
  return { action, rest: campaign.steps, remedy: remedy(campaign.remedies) };
}

function remedy(remedies: CampaignNotice["campaign"]["remedies"]): string {
  if (!remedies.length) return "";
  const all = choice(remedies.map((one) => t(`recall-remedy-${one}`)));
  return t(remedies.length > 1 ? "recall-remedy-choose" : "recall-remedy-get", { remedies: all });
}

/** Which version is installed, and which one is there: now, or when the owner was told. */
export function versions({ campaign, state }: CampaignNotice, unit: Unit | undefined): string {
  if (!campaign.version) return "";
  if (state === "resolved") return t("update-done", { version: unit?.firmware ?? campaign.version });
  return unit?.firmware ? t("update-from", { before: unit.firmware, version: campaign.version }) : t("update-offered", { version: campaign.version });
}

/** The number of what replaced it; nothing when it was withdrawn, which has a number as well. */
export const replacedBy = ({ campaign }: Notice): string => (campaign?.replaced_by && !campaign.replaced_by.startsWith("W-") ? campaign.replaced_by : "");

/** What became of a notice that counts no more. */
export const ended = (notice: Notice): string =>
  replacedBy(notice) ? t("campaign-replaced-text", { number: replacedBy(notice) }) : t("campaign-withdrawn-text");
