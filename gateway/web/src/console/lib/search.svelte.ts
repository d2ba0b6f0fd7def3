import { get } from "../../lib/api";
import { t } from "../../i18n/index.svelte";
import type { SearchFound, SearchHit, SearchResults } from "../types";
import type { IconName } from "../parts/icons";

const SETTLE_MS = 150;

export const KIND_ICONS: Record<SearchFound["kind"], IconName> = { unit: "box", person: "people", notice: "bell", campaign: "recall", alarm: "crit" };

/** Asks for what somebody types, when the typing rests; an answer to earlier words is never shown. */
export class Finder {
  /** The words that `found` is of; null while nothing was found yet. */
  words = $state<string | null>(null);
  found = $state.raw<SearchFound[]>([]);
  error = $state.raw<unknown>(null);
  #timer = 0;
  #asked = "";

  constructor(readonly limit: number) {}

  get hits(): SearchHit[] {
    return this.found.flatMap(({ hits }) => hits);
  }

  /** To be called with what stands in the field. */
  typed(words: string): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.ask(words), SETTLE_MS);
  }

  async ask(written: string): Promise<void> {
    clearTimeout(this.#timer);
    const words = written.trim();
    if (words === this.#asked && (words === this.words || !words)) return;
    this.#asked = words;
    if (!words) return this.#show(null, []);
    try {
      const { found } = await get<SearchResults>(`/api/search?${new URLSearchParams({ words, limit: String(this.limit) })}`);
      if (words === this.#asked) this.#show(words, found);
    } catch (error) {
      if (words === this.#asked) this.#show(words, [], error);
    }
  }

  #show(words: string | null, found: SearchFound[], error: unknown = null): void {
    this.words = words;
    this.found = found;
    this.error = error;
  }
}

/** "1 unit, more than 5 people". */
export const summary = (found: readonly SearchFound[]): string =>
  found.map(({ kind, hits, more }) => ({ what: t(`console-search-${kind}-count`, { count: hits.length }), more })).map(({ what, more }) => (more ? t("console-search-more-than", { what }) : what)).join(", ");

export const resultsPage = (words: string): string => `/console/search?${new URLSearchParams({ words })}`;
