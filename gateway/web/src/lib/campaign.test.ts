import { describe, expect, it } from "vitest";
import type { CampaignNotice, Unit } from "../api/types";
import { speakIn } from "../i18n/from-files";
import { isPinned, markOf, markWord } from "../parts/words";
import { ended, todo, versions } from "./campaign";

speakIn("en");
const CAMPAIGN = {
  number: "R-2026-01", hazard: "It can burst.", action: "stop_using", action_text: "Stop using it now. Pull the plug.", steps: ["Pull the plug."], changes_listed: [], remedies: ["repair", "refund"],
  remedy_text: "Both are free.", contact: null, changes: null, version: null, reason: null, matched: "lot L1", published_at: "2026-11-16T08:00:00Z",
  replaces: null, replaced_by: null, told_because: "you own this unit", sent_because: null,
} as const;
const notice = (more: object = {}, campaign: object = {}) =>
  ({ kind: "recall", state: "open", severity: "safety", read_at: null, why: null, ...more, campaign: { ...CAMPAIGN, ...campaign } }) as unknown as CampaignNotice;

describe("a recall", () => {
  it("says the action once, then the steps, then what the owner gets", () => {
    expect(todo(notice())).toEqual({ action: "Stop using it now", rest: ["Pull the plug."], remedy: "You choose: repair or refund" });
    expect(todo(notice({}, { remedies: ["refund"], action: null, action_text: null, steps: [] }))).toEqual({ action: "", rest: [], remedy: "You get a refund" });
    expect(todo(notice({}, { remedies: ["repair", "replacement", "refund"] })).remedy).toBe("You choose: repair, replacement or refund");
  });
  it("is red while it counts, and never after it was replaced or withdrawn", () => {
    expect(markOf(notice()).tone).toBe("safety");
    const replaced = notice({ state: "withdrawn" }, { replaced_by: "R-2026-02" });
    expect([markOf(replaced).tone, markWord(replaced), ended(replaced)]).toEqual(["", "Replaced by R-2026-02", "This notice is replaced by R-2026-02 and no longer counts."]);
    const withdrawn = notice({ state: "withdrawn" }, { replaced_by: "W-2026-01" });
    expect([markOf(withdrawn).tone, markWord(withdrawn)]).toEqual(["", "Withdrawn"]);
    expect(markOf(notice({ kind: "withdrawal" })).tone, "safe news about a recall").toBe("info");
  });
  it("stays in view until it is over; a withdrawal only until it was read", () => {
    const read = { read_at: "2026-11-22T08:00:00Z" };
    expect([isPinned(notice(read)), isPinned(notice({ ...read, state: "withdrawn" })), isPinned(notice({ ...read, kind: "withdrawal" })), isPinned(notice({ kind: "withdrawal" }))]).toEqual([true, false, false, true]);
  });
});

describe("an update", () => {
  const update = (state: string) => notice({ kind: "update", state, severity: "info" }, { version: "2.4.0" });
  const unit = (firmware: string | null) => ({ firmware }) as Unit;
  it("says which version is installed, and which one there is", () => {
    expect(versions(update("open"), unit("2.3.1"))).toBe("You have 2.3.1. The new version is 2.4.0.");
    expect(versions(update("open"), unit(null))).toBe("The new version is 2.4.0.");
    expect(versions(update("resolved"), unit("2.5.0"))).toBe("Your product reports version 2.5.0. You need not do anything.");
    expect(markWord(update("resolved"))).toBe("Installed");
  });
});
