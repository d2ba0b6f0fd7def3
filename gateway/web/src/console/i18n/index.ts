import { speaker } from "../../i18n/index.svelte";
import { de } from "./de";
import { en, type Key } from "./en";

export type { Key } from "./en";
export const { t, many } = speaker<Key>({ en, de });
