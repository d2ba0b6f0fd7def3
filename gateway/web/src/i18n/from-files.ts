/** For the tests: the words as their files have them. */
import { offer, use } from "./index.svelte";

const FILES = import.meta.glob<string>("../../../text/*/*.ftl", { query: "?raw", import: "default", eager: true });
const LANGUAGES = [
  { code: "en", name: "English", locale: "en-GB" },
  { code: "de", name: "Deutsch", locale: "de-DE" },
] as const;

export function speakIn(code: "en" | "de"): void {
  const source = Object.entries(FILES).filter(([path]) => path.includes(`/${code}/`)).map(([, text]) => text);
  offer(LANGUAGES.map((each) => ({ ...each, app: "", console: "" })));
  use(LANGUAGES.find((each) => each.code === code) ?? LANGUAGES[0], source.join("\n"));
}
