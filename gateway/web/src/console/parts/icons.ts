import { ICONS as SHARED } from "../../parts/icons";

/** The icons of My Products, and those that only the staff see. */
export const ICONS = {
  ...SHARED,
  down: '<path d="M12 4.5v11m-4-3.7 4 4 4-4M5 20h14"/>',
  list: '<path d="M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.1M4 12h.1M4 17.5h.1"/>',
  menu: '<path d="M4 7h16M4 12h16M4 17h16"/>',
  pencil: '<path d="m14.5 5.5 4 4L8 20H4v-4z"/><path d="m12.5 7.5 4 4"/>',
  search: '<circle cx="10.5" cy="10.5" r="6.3"/><path d="m15.300 15.300 5 5"/>',
  tray: '<path d="M3.5 13.5 6.3 5h11.4l2.8 8.5V19h-17z"/><path d="M3.5 13.5h4.8l1.4 2.5h4.6l1.4-2.5h4.8"/>',
  x: '<path d="m6 6 12 12M18 6 6 18"/>',
} as const;

export type IconName = keyof typeof ICONS;
