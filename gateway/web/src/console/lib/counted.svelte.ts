import { get } from "../../lib/api";
import type { QuarantineCount, QuarantineCounts } from "../types";
import { allHere } from "./refused";

/** The quarantine by reason, for its page and for the number in the rail; null while we do not know. */
let counts = $state.raw<QuarantineCount[] | null>(null);
let error = $state.raw<unknown>(null);

export const counted = {
  get counts() { return counts; },
  get here() { return counts ? allHere(counts) : 0; },
  get error() { return error; },
};

/** Count anew; what was counted stays when nobody answers. */
export async function count(): Promise<void> {
  try {
    counts = (await get<QuarantineCounts>("/api/quarantine/counts")).reasons;
    error = null;
  } catch (refused) {
    error = refused;
  }
}
