import type { Brand } from "../api/types";
import { get } from "./api";

let known = $state.raw<Brand | null>(null);

/** Whose products these are; null until the server said so. */
export const brand = (): Brand | null => known;

/** Ask the server once; what it does not answer is asked again with the next call. */
export async function learnBrand(): Promise<void> {
  known ??= await get<Brand>("/api/brand").catch(() => null);
}
