/**
 * One event stream for all tabs of a browser, for it has only six connections for us: the tab that holds the lock
 * listens and passes on what it hears; when it goes, the next one takes over and fetches what it may have missed.
 */
export interface Heard {
  kind: string;
  /** The unit that it is about, where there is one. */
  unit?: string | null;
  data: { title?: string; notice?: string; severity?: string; campaign?: string; alarm?: string };
}

/** Where to listen, for what, and under which name the tabs agree. */
export interface Source {
  name: string;
  url: string;
  kinds: readonly string[];
}

const OWN_KINDS = [
  "notice.recorded", "notice.told", "notice.updated", "notice.resolved", "notice.withdrawn",
  "notice.read", "notice.acknowledged",
  "alarm.raised", "alarm.cleared", "unit.claimed", "unit.released",
  "unit.claim_attempts", "stream.reset",
];
export const MINE: Source = { name: "stream", url: "/api/my/stream", kinds: OWN_KINDS };
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export class Stream {
  readonly #tabs: BroadcastChannel;
  readonly #stop = new AbortController();
  #source: EventSource | null = null;
  #wait = FIRST_WAIT_MS;
  #timer = 0;

  constructor(
    private readonly from: Source,
    private readonly hear: (heard: Heard) => void,
    private readonly say: (live: boolean) => void,
    private readonly ended: () => void,
  ) {
    this.#tabs = new BroadcastChannel(from.name);
    this.#tabs.onmessage = (event: MessageEvent<Heard | { live: boolean }>) => {
      if ("live" in event.data) this.say(event.data.live);
      else this.hear(event.data);
    };
    const hold = () => new Promise<void>((free) => {
      this.#open();
      this.#stop.signal.addEventListener("abort", () => free());
    });
    if (navigator.locks) navigator.locks.request(from.name, { signal: this.#stop.signal }, hold).catch(() => {});
    else void hold();
  }

  /** End it, when somebody signs out. */
  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#stop.abort();
    this.#tabs.close();
  }

  #tell(live: boolean): void {
    this.say(live);
    this.#tabs.postMessage({ live });
  }

  #open(): void {
    const source = (this.#source = new EventSource(this.from.url));
    const pass = (event: MessageEvent<string>) => {
      const { unit, data } = JSON.parse(event.data);
      const heard: Heard = { kind: event.type, unit, data: data ?? {} };
      this.hear(heard);
      this.#tabs.postMessage(heard);
    };
    for (const kind of this.from.kinds) source.addEventListener(kind, pass);
    source.onopen = () => {
      this.#wait = FIRST_WAIT_MS;
      this.#tell(true);
    };
    source.onerror = () => {
      this.#tell(false); // while it is only interrupted, the browser resumes by itself with Last-Event-ID
      if (source.readyState !== EventSource.CLOSED) return;
      this.#later();
      this.ended();
    };
    source.addEventListener("stream.end", () => {
      this.#tell(false);
      this.#later();
      this.ended();
    });
  }

  #later(): void {
    this.#source?.close();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#stop.signal.aborted || this.#open(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }
}
