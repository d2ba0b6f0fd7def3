import { get, post, Refused } from "../../lib/api";
import type { AlarmRecord, NewAct } from "../types";
import { draftOf, keepDraft } from "./draft";

type Doing = Pick<NewAct, "act"> & Partial<Pick<NewAct, "value" | "text">>;

/** One alarm and the acts on it. What is typed stays until the server has taken it, also over a reload. */
export class Worked {
  alarm = $state.raw<AlarmRecord | null>(null);
  error = $state.raw<unknown>(null);
  /** Why the last act was refused; the alarm was fetched anew since. */
  refused = $state.raw<Refused | null>(null);
  busy = $state(false);
  #text = $state("");
  #keys = new Map<string, string>();

  constructor(readonly id: string) {
    this.#text = draftOf(this.#draft);
  }

  get text(): string {
    return this.#text;
  }
  set text(typed: string) {
    this.#text = typed;
    keepDraft(this.#draft, typed);
  }

  fetch = async (): Promise<void> => {
    try {
      this.alarm = await get<AlarmRecord>(this.#api);
      this.error = null;
    } catch (refused) {
      this.error = refused;
    }
  };

  /** Do it on the revision that is shown. Returns whether it was done; a text that was sent is no draft any more. */
  async act(doing: Doing): Promise<boolean> {
    if (!this.alarm || this.busy) return false;
    this.busy = true;
    const what = JSON.stringify([doing, this.alarm.revision]);
    // The same again after no answer is the same act, which the server knows by its key.
    const key = this.#keys.get(what) ?? crypto.randomUUID();
    this.#keys.set(what, key);
    try {
      this.alarm = await post<AlarmRecord>(`${this.#api}/acts`, { ...doing, key, revision: this.alarm.revision } satisfies NewAct);
      this.#keys.delete(what);
      this.refused = null;
      if (doing.text !== undefined && doing.text === this.text.trim()) this.text = "";
      return true;
    } catch (refused) {
      this.refused = refused instanceof Refused ? refused : null;
      if (this.refused?.status) {
        this.#keys.delete(what);
        await this.fetch();
      }
      return false;
    } finally {
      this.busy = false;
    }
  }

  get #api(): string {
    return `/api/alarms/${encodeURIComponent(this.id)}`;
  }
  get #draft(): string {
    return `alarm-${this.id}`;
  }
}
