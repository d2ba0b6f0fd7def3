/**
 * What a list shows after it was fetched again. Held, the rows stay where they are, with their newest values; `behind`
 * says that others came, went or moved meanwhile.
 */
export function merged<Item extends { id: string }>(old: Item[], fresh: Item[], held: boolean): { shown: Item[]; behind: boolean } {
  const isSame = old.length === fresh.length && old.every(({ id }, place) => fresh[place]?.id === id);
  if (isSame || !held || !old.length) return { shown: fresh, behind: false };
  const newest = new Map(fresh.map((item) => [item.id, item]));
  return { shown: old.map((item) => newest.get(item.id) ?? item), behind: true };
}
