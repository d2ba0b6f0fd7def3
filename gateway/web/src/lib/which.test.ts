import { describe, expect, it } from "vitest";
import { placeOf, whereOf } from "./which";

const unit = (serial: string, place: string | null = null, code = "hp-90") => ({ id: serial.toLowerCase(), serial, place, product: { code } });

describe("two equal products", () => {
  it("are told apart by their places", () => {
    const units = [unit("A", "Cellar"), unit("B", "Attic"), unit("C", null, "ac-24")];
    expect(units.map((one) => placeOf(one, units))).toEqual(["Cellar", "Attic", ""]);
  });
  it("are told apart by their serials where a place is missing or the same", () => {
    const units = [unit("A", "Cellar"), unit("B", "Cellar"), unit("C"), unit("D")];
    expect(units.map((one) => placeOf(one, units))).toEqual(["Cellar, A", "Cellar, B", "C", "D"]);
  });
  it("need no serial where one has a place and the other has none", () => {
    const units = [unit("A", "Cellar"), unit("B")];
    expect(units.map((one) => placeOf(one, units))).toEqual(["Cellar", "B"]);
  });
  it("are so told apart in a notice too, which says nothing of a unit that is not the owner's", () => {
    const units = [unit("A", "Cellar"), unit("B", "Attic")];
    expect([whereOf("a", units), whereOf("b", units, " · "), whereOf("x", units), whereOf("a", undefined)]).toEqual([", Cellar", " · Attic", "", ""]);
  });
});
