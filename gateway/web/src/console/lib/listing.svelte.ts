import { get } from "../../lib/api";
import { go, path, query } from "../../lib/router.svelte";
import { isHeld } from "./held";
import { merged } from "./merged";

interface Page {
  next: string | null;
}
export const PAGE = 50;

/**
 * One page of a list, with its filters in the URL: `name` is the field of the answer that has the rows. Fetched again, it
 * does not move under the hand: what came, went or changed its place meanwhile waits for `show`.
 */
export class Listing<Answer extends Page, Item extends { id: string }> {
  answer = $state.raw<Answer | null>(null);
  items = $state.raw<Item[]>([]);
  error = $state.raw<unknown>(null);
  /** Rows came, went or moved since what is shown. */
  behind = $state(false);
  #fresh: Item[] = [];

  constructor(
    readonly api: string,
    readonly name: keyof Answer & string,
    readonly filters: readonly string[],
  ) {}

  value = (filter: string): string => query(filter);

  /** The address of this list with other filters; another filter begins at the first page. */
  link(changes: Record<string, string>, place = ""): string {
    const chosen = this.#chosen(changes);
    if (place) chosen.set("after", place);
    return chosen.size ? `${path()}?${chosen}` : path();
  }
  choose = (changes: Record<string, string>, how?: { replace: boolean }): void => go(this.link(changes), how);

  get next(): string | null {
    return this.answer?.next ? this.link({}, this.answer.next) : null;
  }
  get first(): string | null {
    return query("after") ? this.link({}) : null;
  }
  get csv(): string {
    return `${this.api}.csv?${this.#chosen({})}`;
  }

  fetch = async (): Promise<void> => {
    const asked = this.#asked();
    try {
      const answer = await get<Answer>(asked);
      if (asked !== this.#asked()) return; // another filter was chosen meanwhile
      const { shown, behind } = merged(this.#shownOf === asked ? this.items : [], answer[this.name] as Item[], isHeld());
      this.#fresh = answer[this.name] as Item[];
      this.#shownOf = asked;
      this.answer = answer;
      this.items = shown;
      this.behind = behind;
      this.error = null;
    } catch (refused) {
      if (asked === this.#asked()) this.error = refused;
    }
  };

  show = (): void => {
    this.items = this.#fresh;
    this.behind = false;
  };

  /** What is fetched now: an effect that reads it runs again with another filter or page. */
  get asked(): string {
    return this.#asked();
  }

  #shownOf = "";
  #asked(): string {
    const chosen = this.#chosen({});
    chosen.set("limit", String(PAGE));
    if (query("after")) chosen.set("after", query("after"));
    return `${this.api}?${chosen}`;
  }
  #chosen(changes: Record<string, string>): URLSearchParams {
    const chosen = new URLSearchParams();
    for (const filter of this.filters) {
      const value = changes[filter] ?? query(filter);
      if (value) chosen.set(filter, value);
    }
    return chosen;
  }
}
