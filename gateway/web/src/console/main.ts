import { mount } from "svelte";
import "../app.css";
import { start } from "../i18n/index.svelte";
import { startRouter } from "../lib/router.svelte";
import { look } from "../lib/session.svelte";
import App from "./App.svelte";
import "./console.css";

startRouter((to) => /^\/console([/?#]|$)/.test(to));
await start("console");
void look();
mount(App, { target: document.getElementById("app") as HTMLElement });
