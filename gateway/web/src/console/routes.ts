import type { Component } from "svelte";
import type { Key } from "../i18n/index.svelte";
import type { Me } from "./types";
import type { IconName } from "./parts/icons";

/** A page gets who looks, and the id of what it shows. */
type Page = Component<{ me: Me; id: string }>;
type Load = () => Promise<{ default: Page }>;
interface Route {
  /** Its place in the rail: pages of one thing have none. */
  nav?: { icon: IconName; word: Key };
  /** Who may see it; everybody of the staff without. */
  right?: Me["rights"][number];
  load: Load;
}

/** The console's pages by path, in the order of the rail; `:id` is what the page shows. */
export const ROUTES: Record<string, Route> = {
  alarms: { nav: { icon: "crit", word: "console-nav-alarms" }, load: async () => (await import("./pages/Alarms.svelte")) as { default: Page } },
  "alarms/:id": { load: async () => (await import("./pages/Alarm.svelte")) as { default: Page } },
  units: { nav: { icon: "list", word: "console-nav-units" }, load: async () => (await import("./pages/Units.svelte")) as { default: Page } },
  "units/:id": { load: async () => (await import("./pages/Unit.svelte")) as { default: Page } },
  people: { nav: { icon: "people", word: "console-nav-people" }, load: async () => (await import("./pages/People.svelte")) as { default: Page } },
  "people/:id": { load: async () => (await import("./pages/Person.svelte")) as { default: Page } },
  notices: { nav: { icon: "bell", word: "console-nav-notices" }, load: async () => (await import("./pages/Notices.svelte")) as { default: Page } },
  "notices/:id": { load: async () => (await import("./pages/Notice.svelte")) as { default: Page } },
  campaigns: { nav: { icon: "recall", word: "console-nav-campaigns" }, load: async () => (await import("./pages/Campaigns.svelte")) as { default: Page } },
  "campaigns/new": { load: async () => (await import("./pages/New.svelte")) as { default: Page } },
  "campaigns/:id": { load: async () => (await import("./pages/Campaign.svelte")) as { default: Page } },
  products: { nav: { icon: "box", word: "console-nav-products" }, load: async () => (await import("./pages/Products.svelte")) as { default: Page } },
  "products/:id": { load: async () => (await import("./pages/Product.svelte")) as { default: Page } },
  search: { load: async () => (await import("./pages/Search.svelte")) as unknown as { default: Page } },
  quarantine: { nav: { icon: "tray", word: "console-nav-quarantine" }, load: async () => (await import("./pages/Quarantine.svelte")) as { default: Page } },
  staff: { nav: { icon: "key", word: "console-nav-accounts" }, right: "administer", load: async () => (await import("./pages/Staff.svelte")) as { default: Page } },
  "staff/looks": { right: "administer", load: async () => (await import("./pages/Looks.svelte")) as { default: Page } },
};

/** The page of a path below /console; undefined where there is none, or not for this person. */
export function routeOf(path: string, me: Me): { route: Route; id: string } | undefined {
  const [name = "", id = "", ...rest] = path.split("/").filter(Boolean).slice(1).map(decoded);
  const route = rest.length ? undefined : ROUTES[id ? `${name}/${id}` : name] ?? (id ? ROUTES[`${name}/:id`] : undefined);
  return route && maySee(route, me) ? { route, id } : undefined;
}

export const maySee = (route: Route, me: Me): boolean => !route.right || me.rights.includes(route.right);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
