/** Where we are: the path and the query, kept by the browser's history. */
const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

let place = $state.raw(here());

/** What My Products shows; every other page of this site is loaded whole. */
let isOurs = (to: string): boolean => !/^\/(n|console|demo|api|l|u)([/?#]|$)/.test(to);

export const path = (): string => place.path;
export const query = (name: string): string => place.query.get(name) ?? "";

/** Go to a page of ours, or load another one. */
export function go(to: string, { replace = false } = {}): void {
  if (!isOurs(to)) return replace ? location.replace(to) : location.assign(to);
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place = here();
}

/** A path of this site to return to; anything else is not followed. */
export const safeReturn = (to: string): string => (/^\/(?![/\\])/.test(to) ? to : "/");

export function startRouter(ours = isOurs): void {
  isOurs = ours;
  addEventListener("popstate", () => (place = here()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
