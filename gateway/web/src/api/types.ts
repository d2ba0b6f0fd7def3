import type { components } from "./schema";

/** What the API answers, by the names this application uses; the shapes are generated from its OpenAPI document. */
type Schemas = components["schemas"];

export type ClaimHint = Schemas["ClaimHint"];
export type Brand = Schemas["Brand"];
export type Me = Schemas["Me"];
export type Problem = Schemas["Problem"];
export type ProductRef = Schemas["ProductRef"];
export type ReadingNow = Schemas["ReadingNow"];
export type Readings = Schemas["Readings"];
export type Unit = Schemas["MyUnit"];
export type UnitPage = Schemas["MyUnitPage"];
export type Units = Schemas["MyUnits"];
export type Notice = Schemas["MyNotice"];
/** What an alarm told, with its evidence. */
export type AlarmNotice = Notice & { why: NonNullable<Notice["why"]> };
/** What a recall, an update or a withdrawal told. */
export type CampaignNotice = Notice & { campaign: NonNullable<Notice["campaign"]> };
export type Contact = NonNullable<CampaignNotice["campaign"]["contact"]>;
export type Feed = Schemas["MyFeed"];
export type Severity = Notice["severity"];
export type UnitMessage = Schemas["Message"];
export type UnitMessages = Schemas["Messages"];
export type Preferences = Schemas["Preferences"];
