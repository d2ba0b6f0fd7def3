import { expect, test } from "vitest";
import { momentOf, written } from "./moments";

test("A field has the time of the zone, and gives the moment back, also beside a change of the clock", () => {
  for (const moment of ["2026-07-01T10:00:00.000Z", "2026-03-29T00:30:00.000Z", "2026-03-29T01:30:00.000Z", "2026-12-31T23:30:00.000Z"]) {
    for (const zone of ["Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata"]) {
      expect(momentOf(written(Date.parse(moment), zone), zone)).toBe(moment);
    }
  }
  expect(written(Date.parse("2026-07-01T10:00:00Z"), "Europe/Berlin")).toBe("2026-07-01T12:00");
});
