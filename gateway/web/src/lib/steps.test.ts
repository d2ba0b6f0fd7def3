import { describe, expect, it } from "vitest";
import cases from "./steps.cases.json";
import { afterAction, steps } from "./steps";

describe("the steps of instructions", () => {
  it.each(cases)("are as the server finds them: $text", ({ text, steps: found }) => {
    expect(steps(text)).toEqual(found);
  });
  it("do not say the action twice", () => {
    expect(afterAction("Stop using it now", ["Stop using it now!", "Pull the plug."])).toEqual(["Pull the plug."]);
    expect(afterAction("Stop using it now", ["Pull the plug."])).toEqual(["Pull the plug."]);
    expect(afterAction("Stop using it now", [])).toEqual([]);
  });
});
