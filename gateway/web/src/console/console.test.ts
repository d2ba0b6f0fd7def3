import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { t } from "../i18n/index.svelte";
import { speakIn } from "../i18n/from-files";
import { allHere, from, isNewer, printable, senderOf, worstFirst } from "./lib/refused";
import { merged } from "./lib/merged";
import { serialsOf } from "./lib/serials";
import { percent, typedNumber, widths } from "./lib/shares";
import { soon } from "./lib/soon";
import { audienceOf, blank, blocking, differences, draftOf, missingTexts, replacement, stepOf, typedOf, withdrawal } from "./lib/typed";
import { reasonWords } from "./parts/reasons";
import type { Campaign, RecallContent } from "./types";

speakIn("en");
const CONTENT: RecallContent = {
  kind: "recall",
  title: { en: "Tank may burst", de: "Kessel kann bersten" },
  hazard: { en: "It can injure." },
  action: "stop_using",
  action_text: {},
  remedies: ["repair", "refund"],
  remedy_text: {},
  contact: { phone: "0800", email: null, url: null },
};
const CAMPAIGN = {
  id: "r1",
  kind: "recall",
  product: { code: "ac-24", name: "Air compressor", model: "AC 24" },
  content: CONTENT,
  audience: { by: "lots", lots: ["L1", "L2"] },
} as unknown as Campaign;

describe("a list of serials", () => {
  it("is one a line, or a CSV file's first column, each once and without its heading", () => {
    expect(serialsOf("\ufeffSerial;Lot\r\nAC24-1;L1\r\n\r\n AC24-2 ,x\r\nAC24-1")).toEqual(["AC24-1", "AC24-2"]);
    expect(serialsOf('"AC ""24""-3",L1\nAC24-4\tL2')).toEqual(['AC "24"-3', "AC24-4"]);
    expect(serialsOf(" \n,\n")).toEqual([]);
  });
});

describe("a list that is fetched again", () => {
  const old = [{ id: "a", value: 1 }, { id: "b", value: 1 }];
  it("is what came, while nobody holds it", () => {
    expect(merged(old, [{ id: "c", value: 1 }], false)).toEqual({ shown: [{ id: "c", value: 1 }], behind: false });
  });
  it("keeps its rows where they are while it is held, with their newest values", () => {
    const fresh = [{ id: "c", value: 1 }, { id: "a", value: 2 }];
    expect(merged(old, fresh, true)).toEqual({ shown: [{ id: "a", value: 2 }, { id: "b", value: 1 }], behind: true });
  });
  it("is not behind where only values changed", () => {
    expect(merged(old, [{ id: "a", value: 3 }, { id: "b", value: 1 }], true).behind).toBe(false);
  });
});

describe("a draft in the form", () => {
  it("is sent as it came", () => {
    expect(draftOf(typedOf(CAMPAIGN), "recall", null)).toMatchObject({ product: "ac-24", audience: CAMPAIGN.audience, content: { ...CONTENT, hazard: { en: "It can injure.", de: "" } } });
  });
  it("keeps what was typed for the other kind of audience, and sends only the chosen one", () => {
    const typed = typedOf(CAMPAIGN);
    typed.serials = "AC24-1\nAC24-2";
    expect(audienceOf(typed, "recall")).toEqual({ by: "lots", lots: ["L1", "L2"] });
    typed.by = "serials";
    expect(audienceOf(typed, "recall")).toEqual({ by: "serials", serials: ["AC24-1", "AC24-2"] });
    expect(audienceOf(typed, "withdrawal")).toBeNull();
    expect(audienceOf({ ...blank("ac-24"), by: "firmware", below: " 2.4.0 " }, "update")).toEqual({ by: "firmware", below: "2.4.0" });
    expect(audienceOf(blank("ac-24"), "recall")).toBeNull();
  });
  it("tells in which fields another one's version differs, spaces around it apart", () => {
    const mine = typedOf(CAMPAIGN);
    const theirs = typedOf(CAMPAIGN);
    mine.texts.title.en += " ";
    expect(differences(mine, theirs, "recall")).toEqual([]);
    theirs.texts.hazard.de = "Er kann verletzen.";
    theirs.remedies = ["refund"];
    theirs.lots = ["L1"];
    theirs.contact.phone = "0801";
    expect(differences(mine, theirs, "recall")).toEqual(["content.hazard.de", "content.remedies", "content.contact.phone", "audience"]);
    expect(differences({ ...mine, remedies: ["refund", "repair"] }, mine, "recall")).toEqual([]);
  });
  it("becomes the draft that replaces or withdraws it", () => {
    expect(replacement(CAMPAIGN)).toEqual({ product: "ac-24", content: CONTENT, audience: CAMPAIGN.audience, supersedes: "r1" });
    expect(withdrawal(CAMPAIGN)).toEqual({ product: "ac-24", content: { kind: "withdrawal", title: CONTENT.title, reason: {}, contact: CONTENT.contact }, audience: null, supersedes: "r1" });
  });
  it("knows which texts a language misses", () => {
    const typed = typedOf(CAMPAIGN);
    expect(missingTexts(typed, "recall", "de")).toEqual(["hazard", "action_text"]);
    typed.texts.remedy_text.en = "Call us.";
    expect(missingTexts(typed, "recall", "de")).toEqual(["hazard", "action_text", "remedy_text"]);
  });
});

describe("the checks", () => {
  it("belong to the step where they are mended", () => {
    const fields = ["content.title.en", "content.hazard", "content.hazard.de", "content.action", "content.contact", "content.contact.url", "audience.lots", "supersedes"];
    expect(fields.map(stepOf)).toEqual(["hazard", "hazard", "languages", "action", "action", "action", "audience", "approval"]);
  });
  it("count only what blocks", () => {
    const check = (field: string, blocks: boolean) => ({ field, message: "", blocks });
    expect(blocking([check("content.title.en", true), check("audience", false)])).toEqual({ hazard: 1, action: 0, audience: 0, languages: 0, approval: 0 });
  });
});

describe("the figures", () => {
  it("draw no part of nothing, and the parts of something to a whole", () => {
    expect(widths([0, 0])).toEqual([0, 0]);
    expect(widths([3, 1, -1])).toEqual([75, 25, 0]);
  });
  it("say nothing or all only when it is so", () => {
    expect([percent(0, 0), percent(0, 9), percent(9, 9), percent(1, 9999), percent(9998, 9999), percent(658, 1000)].map((text) => text.replace(/\s/g, " "))).toEqual(["0 %", "0 %", "100 %", "0.1 %", "99.9 %", "65.8 %"]);
  });
  it("read a typed number however its thousands are parted", () => {
    expect(["12480", "12,480", "12.480", " 12 480 ", "12\u202f480"].map(typedNumber)).toEqual([12480, 12480, 12480, 12480, 12480]);
    expect(["", "twelve", "-5", "1e3"].map(typedNumber)).toEqual([null, null, null, null]);
  });
});

describe("what is fetched soon", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  it("comes once for many events, and once more for those that came meanwhile", async () => {
    let runs = 0;
    let finish = (): void => {};
    const task = () => ((runs += 1), new Promise<void>((done) => (finish = done)));
    const fetch = soon(task, 500);
    for (let count = 0; count < 100; count++) fetch.ask();
    await vi.advanceTimersByTimeAsync(500);
    expect(runs).toBe(1);
    fetch.ask();
    fetch.ask();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs).toBe(1);
    finish();
    await vi.advanceTimersByTimeAsync(500);
    expect(runs).toBe(2);
    finish();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs).toBe(2);
    fetch.ask();
    fetch.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs).toBe(2);
  });
});

const refused = (reason: string, here: number, last_at: string | null = null) => ({ reason, here, messages: here, trimmed: 0, last_at });

describe("a refused message", () => {
  it("comes from who its topic says, if it is one of ours", () => {
    expect(senderOf("m2m/v1/pump/P-9/telemetry")).toEqual({ product: "pump", serial: "P-9" });
    expect(senderOf("m2m/v1/pump/P-9/status")).toEqual({ product: "pump", serial: "P-9" });
    expect(["m2m/v1/pump/telemetry", "m2m/v1/a/b/c/telemetry", "m2m/v2/pump/P-9/status", "x/m2m/v1/pump/P-9/status"].map(senderOf)).toEqual([null, null, null, null]);
  });
  it("hides nothing and turns nothing when it is shown", () => {
    expect(printable("a\0\x1b[2J\x7f\u0085")).toBe("a⟨00⟩⟨1B⟩[2J⟨7F⟩⟨85⟩");
    expect(printable("\u202ecba\u2066 \u200b\ufeff")).toBe("⟨202E⟩cba⟨2066⟩ ⟨200B⟩⟨FEFF⟩");
    expect(printable('{"ts": 1,\n\t"ö": "日本 🙂 \ufffd"}')).toBe('{"ts": 1,\n\t"ö": "日本 🙂 \ufffd"}');
  });
  it("is compared by its whole number", () => {
    expect(from("9007199254740993")).toBe("9007199254740994");
    expect([isNewer("10", "9"), isNewer("9007199254740993", "9007199254740992"), isNewer("9", "9")]).toEqual([true, true, false]);
  });
  it("stands with the reason of which there are most, then the one that came last", () => {
    const sorted = worstFirst([refused("a", 0), refused("b", 0, "2026-01-02"), refused("c", 0, "2026-01-01"), refused("d", 3), refused("e", 12)]);
    expect(sorted.map(({ reason }) => reason)).toEqual(["e", "d", "b", "c", "a"]);
    expect(allHere(sorted)).toBe(15);
  });
  it("has words for its reason, or its code", () => {
    expect(reasonWords("unknown_unit").mend).toBe(t("console-mend-unknown_unit"));
    expect(reasonWords("brand_new")).toEqual({ name: "brand_new", mend: "" });
  });
});
