import { known, language, t } from "../i18n/index.svelte";
import type { Problem } from "../api/types";

/** What the server refused, in the reader's language; `code` is stable, `status` 0 means that nobody answered. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: readonly string[] = [],
    readonly body: unknown = undefined,
  ) {
    super(message);
  }
}

const NOT_SIGNED_IN = "not_signed_in";
let whenSignedOut = (): void => {};
/** What to do when the server no longer knows our session. */
export const onSignedOut = (act: () => void): void => void (whenSignedOut = act);

const isProblem = (body: unknown): body is Problem => typeof body === "object" && body !== null && "detail" in body;

/** What a problem says: by its code; its own sentences are English. */
export function problemText({ code, parameters }: Pick<Problem, "code" | "parameters">): string {
  const key = `problem-${code}`;
  return known(key) ? t(key, { trouble: "", ...parameters }) : t("problem-error", { code });
}

/** One request to our API; raises Refused. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json" }, signal: AbortSignal.timeout(20_000) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  const answer = await fetch(path, init).catch(() => {
    throw new Refused(0, "away", t("error-away"));
  });
  const text = await answer.text().catch(() => "");
  let data: unknown = undefined;
  try {
    data = text ? JSON.parse(text) : undefined;
  } catch {
    throw new Refused(answer.status, "unread", t("error-unread"));
  }
  if (answer.ok) return data as T;
  if (isProblem(data) && data.code === NOT_SIGNED_IN) whenSignedOut();
  if (isProblem(data)) throw new Refused(answer.status, data.code, problemText(data), language() === "en" ? data.problems : [], data);
  throw new Refused(answer.status, "unread", t("error-unread"));
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>("POST", path, body);
