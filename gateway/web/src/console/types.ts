import type { components } from "../api/schema";

/** What the API answers about campaigns and the quarantine, by the names the console uses. */
type Schemas = components["schemas"];

export type { Me } from "../api/types";
export type Campaign = Schemas["Campaign"];
export type CampaignLine = Schemas["CampaignLine"];
export type CampaignRef = Schemas["CampaignRef"];
export type Campaigns = Schemas["Campaigns"];
export type CampaignUnit = Schemas["CampaignUnit"];
export type CampaignUnits = Schemas["CampaignUnits"];
export type Channel = Schemas["ChannelProgress"];
export type Check = Schemas["Check"];
export type Contact = Schemas["Contact"];
export type Content = Campaign["content"];
export type Audience = NonNullable<Campaign["audience"]>;
export type AudienceCount = Schemas["AudienceCount"];
export type Draft = Schemas["Draft"];
export type JoinedUnit = Schemas["JoinedUnit"];
export type JoinedUnits = Schemas["JoinedUnits"];
export type Kind = Campaign["kind"];
export type ProductChoice = Schemas["ProductChoice"];
export type Products = Schemas["Products"];
export type Progress = Schemas["Progress"];
export type State = Campaign["state"];
export type Purged = Schemas["Purged"];
export type Quarantine = Schemas["Quarantine"];
export type QuarantineChoice = Schemas["QuarantineChoice"];
export type QuarantineCount = Schemas["QuarantineCount"];
export type QuarantineCounts = Schemas["QuarantineCounts"];
export type Quarantined = Schemas["Quarantined"];
export type RetryAsked = Schemas["RetryAsked"];
export type RecallContent = Schemas["RecallContent"];
