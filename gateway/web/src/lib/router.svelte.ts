/** Where we are: the path and the query, kept by the browser's history. */
const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

let place = $state.raw(here());

export const path = (): string => place.path;
export const query = (name: string): string => place.query.get(name) ?? "";

/** Go to a page of ours; another server page is loaded whole. */
export function go(to: string, { replace = false } = {}): void {
  if (/^\/(n|staff|demo|api|l|u)(\/|$)/.test(to)) return location.assign(to);
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place = here();
}

/** A path of this site to return to; anything else is not followed. */
export const safeReturn = (to: string): string => (/^\/(?![/\\])/.test(to) ? to : "/");

export function startRouter(): void {
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
