import { call, get, Refused } from "../../lib/api";
import type { Campaign } from "../types";
import { draftOf, typedOf, type Typed } from "./typed";

const SETTLE_MS = 700;
const RETRY_MS = 5_000;

/** A draft that is saved as it is typed. Another one's edit is never overwritten unseen, and nothing typed is lost. */
export class Editor {
  campaign: Campaign = $state.raw() as Campaign;
  typed: Typed = $state() as Typed;
  phase = $state<"kept" | "typed" | "saving" | "failed" | "conflict">("kept");
  error = $state.raw<unknown>(null);
  /** What another one saved meanwhile. */
  theirs = $state.raw<Campaign | null>(null);
  #kept = "";
  #timer = 0;

  constructor(campaign: Campaign) {
    this.#adopt(campaign);
  }

  get dirty(): boolean {
    return JSON.stringify(this.typed) !== this.#kept;
  }

  /** To be called when something was typed: it is saved when the typing rests. */
  changed(): void {
    if (!this.dirty || this.theirs) return;
    if (this.phase !== "saving") this.phase = "typed";
    this.#later(SETTLE_MS);
  }

  async save(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.phase === "saving" || this.theirs || !this.dirty) return;
    const { id, kind, version, supersedes } = this.campaign;
    const sent = JSON.stringify(this.typed);
    this.phase = "saving";
    try {
      this.campaign = await call<Campaign>("PUT", `/api/campaigns/${id}`, { ...draftOf(JSON.parse(sent), kind, supersedes?.id ?? null), version });
      this.#kept = sent;
      this.error = null;
      this.phase = this.dirty ? "typed" : "kept";
      if (this.dirty) this.#later(SETTLE_MS);
    } catch (error) {
      await this.#refused(error);
    }
  }

  /** What the server has now: taken over at once, unless something typed would be lost by it. */
  found(campaign: Campaign): void {
    if (campaign.version === this.campaign.version) {
      this.campaign = campaign;
    } else if (campaign.version > this.campaign.version && this.phase === "kept" && !this.dirty) this.#adopt(campaign);
  }

  takeTheirs(): void {
    if (this.theirs) this.#adopt(this.theirs);
  }

  async keepMine(): Promise<void> {
    if (!this.theirs) return;
    this.campaign = this.theirs;
    this.theirs = null;
    this.phase = "typed";
    await this.save();
  }

  async #refused(error: unknown): Promise<void> {
    this.error = error;
    this.phase = "failed";
    if (error instanceof Refused && error.status === 409) {
      try {
        const theirs = await get<Campaign>(`/api/campaigns/${this.campaign.id}`);
        this.phase = "conflict";
        this.error = null;
        this.theirs = theirs;
        return;
      } catch (other) {
        this.error = other;
      }
    }
    const status = this.error instanceof Refused ? this.error.status : 0;
    if (status === 0 || status >= 500) this.#later(RETRY_MS);
  }

  #adopt(campaign: Campaign): void {
    this.campaign = campaign;
    this.typed = typedOf(campaign);
    this.#kept = JSON.stringify(this.typed);
    this.theirs = null;
    this.error = null;
    this.phase = "kept";
  }

  #later(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.save(), wait);
  }
}
