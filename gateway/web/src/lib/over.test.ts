import { describe, expect, it } from "vitest";
import type { AlarmNotice } from "../api/types";
import { speakIn } from "../i18n/from-files";
import { overText, titleOf } from "./over";
import { liveIn } from "./zone.svelte";

speakIn("en");
liveIn("UTC");
const WHY = { title: "Pressure", onset: "2026-07-01T23:42:00Z", cleared_at: "2026-07-01T23:44:00Z", cleared_value: 1.71, unit: "bar" };
const notice = (state: string, why: object = {}) =>
  ({ kind: "alarm", state, title: "Top up the heating water", why: { ...WHY, ...why }, campaign: null }) as unknown as AlarmNotice;

describe("a notice", () => {
  it("that is open says what to do", () => {
    expect(titleOf(notice("open"))).toBe("Top up the heating water");
  });
  it("whose alarm is over says that it is right again, with the value and the time", () => {
    expect(titleOf(notice("resolved"))).toBe("Pressure is right again");
    expect(overText(notice("resolved"))).toMatch(/^It is 1\.71\u202fbar now\. It was not right from 23:42 to 23:44\.$/);
  });
  it("that ended otherwise does not say that it is right", () => {
    const ended = notice("resolved", { cleared_at: null, cleared_value: null });
    expect([titleOf(ended), overText(ended)]).toEqual(["No longer active: Top up the heating water", ""]);
  });
});
