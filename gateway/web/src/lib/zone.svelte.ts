/** The zone of the browser, until we know whose times they are. */
export const HERE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

let zone = $state(HERE);

/** The time zone in which times are shown. */
export const timeZone = (): string => zone;

/** Show times of this zone from now on. */
export const liveIn = (name: string): void => void (zone = name);
