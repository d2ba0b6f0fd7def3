/** What happened, with Undo: 8 s, longer while it has the focus or the mouse. */
export interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

const SHOWN_MS = 8_000;
let next = 1;
let toasts = $state.raw<Toast[]>([]);
const timers = new Map<number, { timer: number; done?: () => void }>();

export const shown = (): Toast[] => toasts;

export function dismiss(id: number): void {
  clearTimeout(timers.get(id)?.timer);
  timers.delete(id);
  toasts = toasts.filter((toast) => toast.id !== id);
}

function start(id: number): void {
  const kept = timers.get(id);
  if (!kept) return;
  kept.timer = window.setTimeout(() => {
    dismiss(id);
    kept.done?.();
  }, SHOWN_MS);
}

/** Say what happened; `done` runs when it goes without Undo. */
export function toast(text: string, { undo, done }: { undo?: () => void; done?: () => void } = {}): void {
  const id = next++;
  toasts = [...toasts.slice(-2), undo ? { id, text, undo } : { id, text }];
  timers.set(id, done ? { timer: 0, done } : { timer: 0 });
  start(id);
}

export const hold = (id: number): void => clearTimeout(timers.get(id)?.timer);
export const release = (id: number): void => start(id);
