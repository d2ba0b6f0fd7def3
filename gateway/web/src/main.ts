import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { start } from "./i18n/index.svelte";
import { startRouter } from "./lib/router.svelte";
import { look } from "./lib/session.svelte";

startRouter();
await start("app");
void look();
mount(App, { target: document.getElementById("app") as HTMLElement });
