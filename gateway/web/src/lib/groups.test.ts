import { describe, expect, it } from "vitest";
import type { Notice } from "../api/types";
import { grouped } from "./groups";

const notice = (id: string, group: string | null = null, group_size: number | null = null) => ({ id, group, group_size }) as Notice;

describe("notices", () => {
  it("of one message are one group, which stands where its first one stands and knows of those not loaded", () => {
    const groups = grouped([notice("a"), notice("b", "b", 40), notice("c"), notice("d", "b", 40)]);
    expect(groups.map(({ notice: { id }, others, size }) => [id, others.map((other) => other.id), size])).toEqual([
      ["a", [], 1],
      ["b", ["d"], 40],
      ["c", [], 1],
    ]);
  });
});
