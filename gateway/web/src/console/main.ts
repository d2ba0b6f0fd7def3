import { mount } from "svelte";
import "../app.css";
import { language } from "../i18n/index.svelte";
import { startRouter } from "../lib/router.svelte";
import { look } from "../lib/session.svelte";
import App from "./App.svelte";
import "./console.css";

document.documentElement.lang = language();
startRouter((to) => /^\/console([/?#]|$)/.test(to));
void look();
mount(App, { target: document.getElementById("app") as HTMLElement });
