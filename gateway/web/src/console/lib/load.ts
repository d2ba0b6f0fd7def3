import { get } from "../../lib/api";
import { toast } from "../../lib/toast.svelte";

/** Ask for what a page shows beside its list; whoever looks is told when it does not come. */
export function load<T>(path: string, take: (found: T) => void): void {
  get<T>(path).then(take, (refused: unknown) => toast(refused instanceof Error ? refused.message : String(refused)));
}
