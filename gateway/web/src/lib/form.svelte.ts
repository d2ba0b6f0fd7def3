import { tick } from "svelte";

/** A form that is sent once at a time; a wrong field takes the focus, a refusal is kept for the summary. */
export class Form {
  busy = $state(false);
  error = $state.raw<unknown>(null);
  problems = $state<Record<string, string | undefined>>({});

  /** Runs `act` when nothing is wrong; `check` gives the problem of each field, in order. */
  submit(check: () => Record<string, string | false | undefined>, act: () => Promise<void>) {
    return async (event: SubmitEvent): Promise<void> => {
      event.preventDefault();
      if (this.busy) return;
      const found = Object.entries(check()).filter((entry): entry is [string, string] => Boolean(entry[1]));
      this.problems = Object.fromEntries(found);
      this.error = null;
      if (found[0]) {
        await tick();
        document.getElementById(found[0][0])?.focus();
        return;
      }
      await this.run(act);
    };
  }

  async run(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await act();
    } catch (error) {
      this.error = error;
    } finally {
      this.busy = false;
    }
  }
}

export const isEmail = (text: string): boolean => /^\S+@\S+\.\S+$/.test(text.trim());
export const isCode = (text: string): boolean => /^\d{8}$/.test(text.replace(/\D/g, ""));
