import { speak, t } from "../i18n/index.svelte";
import type { Me } from "../api/types";
import { learnBrand } from "./brand.svelte";
import { liveIn } from "./zone.svelte";
import { get, onSignedOut, post, Refused } from "./api";

/** Who is signed in: undefined while we do not know, null for nobody. */
let me = $state.raw<Me | null | undefined>(undefined);
let away = $state(false);

export const whoAmI = (): Me | null | undefined => me;
/** Where somebody lands after a sign-in: the staff in their console. */
export const homeOf = ({ role }: Me): string => (role === "customer" ? "/" : "/console");
export const serverAway = (): boolean => away;

const others = new BroadcastChannel("session");
others.onmessage = (event) => {
  if (event.data === "out") me = null;
  else void look();
};

onSignedOut(() => (me = null));

/** Ask the server who we are. */
export async function look(): Promise<void> {
  void learnBrand();
  try {
    const found = await get<Me>("/api/me");
    await speak(found.language);
    liveIn(found.time_zone);
    me = found;
    away = false;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) me = null;
    else away = true;
  }
}

/** After a sign-in: here and in the other tabs. */
export async function signedIn(): Promise<void> {
  others.postMessage("in");
  await look();
}

/** End this session, or all; here and in the other tabs. */
export async function signOut(everywhere = false): Promise<string> {
  await post(everywhere ? "/api/sign-out-everywhere" : "/api/sign-out");
  me = null;
  others.postMessage("out");
  return t(everywhere ? "account-out-all" : "account-out");
}
