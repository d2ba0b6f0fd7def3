/** A task that runs `wait` ms after it was first asked, one at a time, and once more when it was asked meanwhile. */
export interface Soon {
  ask(): void;
  stop(): void;
}

export function soon(task: () => Promise<void>, wait: number): Soon {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let wanted = false;
  let stopped = false;
  function ask(): void {
    if (stopped || timer !== undefined) return;
    if (running) {
      wanted = true;
      return;
    }
    timer = setTimeout(() => {
      timer = undefined;
      running = true;
      void task().finally(() => {
        running = false;
        if (wanted) {
          wanted = false;
          ask();
        }
      });
    }, wait);
  }
  return {
    ask,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
