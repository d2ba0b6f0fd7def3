import type { Unit } from "../api/types";

type Named = Pick<Unit, "id" | "serial" | "place"> & { product: Pick<Unit["product"], "code"> };

/** What tells a unit from the others of its owner: its place, and its serial where that does not do. */
export function placeOf(unit: Named, units: readonly Named[]): string {
  const equal = units.filter((other) => other.id !== unit.id && other.product.code === unit.product.code);
  const isPlain = unit.place ? equal.every((other) => other.place !== unit.place) : !equal.length;
  return [unit.place, isPlain ? null : unit.serial].filter(Boolean).join(", ");
}

/** The same of the unit of a notice, with what stands before it; nothing of one that is not among the owner's. */
export function whereOf(id: string, units: readonly Named[] | undefined, before = ", "): string {
  const unit = units?.find((one) => one.id === id);
  const place = unit && units ? placeOf(unit, units) : "";
  return place ? `${before}${place}` : "";
}
