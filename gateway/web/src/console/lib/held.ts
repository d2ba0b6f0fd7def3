/** Whether somebody is in the middle of a list: scrolled down, at a row with the keyboard, or a finger or pointer on one. */
export function isHeld(): boolean {
  const list = document.querySelector("[data-list]");
  if (!list) return false;
  return scrollY > 80 || list.contains(document.activeElement) || list.matches(":hover");
}
