/** GraphiQL as a visitor meets it: what can be seen and done, and what the browser noticed meanwhile. */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

/** Waits half a minute at most for a server that is starting. */
export async function serverAnswers(url) {
  for (let attempt = 0; attempt < 60; attempt++) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    await sleep(500);
  }
  throw new Error(`${url} does not answer with the page`);
}

/** Chromium with no way to any host but this one, and without its own background traffic. */
export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ],
  });

/** Runs an operation beside the page, for what a test needs to find in place. */
export async function execute(endpoint, { query, variables, bearerToken }) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(bearerToken && { Authorization: `Bearer ${bearerToken}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** An Instagram id that no earlier run has used. */
export const newDigits = () => `17841${randomInt(10 ** 12, 10 ** 13)}`;

export class GraphiQLPage {
  problems = [];
  hosts = new Set();
  introspections = [];

  constructor(page) {
    this.page = page;
  }

  static async open(browser, url) {
    const page = await browser.newPage({ viewport: { width: 1400, height: 850 } });
    page.setDefaultTimeout(15_000);
    const graphiql = new GraphiQLPage(page);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) graphiql.problems.push(message.text());
    });
    page.on("pageerror", (error) => graphiql.problems.push(error.message));
    page.context().on("request", (request) => graphiql.#note(request));
    page.on("websocket", (socket) => graphiql.hosts.add(new URL(socket.url()).host));
    await page.exposeFunction("reportViolation", (violation) => graphiql.problems.push(violation));
    await page.addInitScript(() =>
      addEventListener("securitypolicyviolation", (event) =>
        window.reportViolation(`${event.effectiveDirective} refused ${event.blockedURI}`),
      ),
    );
    await page.goto(url);
    await graphiql.#ready();
    return graphiql;
  }

  async reload() {
    await this.page.reload();
    await this.#ready();
  }

  bearerTokenField() {
    return this.page.getByLabel("Bearer token", { exact: true });
  }

  callerField() {
    return this.page.getByLabel("Run as", { exact: true });
  }

  /** Who runs the operations now, as the page shows it. */
  async caller() {
    return await this.callerField().locator("option:checked").textContent();
  }

  async openTab(title) {
    await this.page.getByRole("tab").getByRole("button", { name: title, exact: true }).click();
    await this.page.waitForTimeout(300); // GraphiQL learns the operation's name 100 ms after the editor
  }

  /** Replaced rather than typed: Monaco closes brackets as one types. */
  async setVariables(variables) {
    const text = JSON.stringify(variables, null, 2);
    await this.page.evaluate((text) => {
      const models = window.__MONACO.editor.getModels();
      models.find((model) => model.uri.path.endsWith("variables.json")).setValue(text);
    }, text);
  }

  /** Runs the operation of the open tab; its answer, parsed. */
  async run() {
    await this.start();
    return await this.answer();
  }

  async start() {
    await this.page.getByRole("button", { name: "Execute query" }).click();
  }

  async stop() {
    await this.page.getByRole("button", { name: "Stop query" }).click();
  }

  /** What the answer pane holds in full; on the screen, Monaco shows only the lines in view. */
  async answer() {
    const handle = await this.page.waitForFunction(() => {
      const models = window.__MONACO.editor.getModels();
      return models.find((model) => model.uri.path.endsWith("response.json")).getValue();
    });
    return JSON.parse(await handle.jsonValue());
  }

  /** What the editors underline in the open tab. */
  async underlined() {
    await this.page.waitForTimeout(1500); // they look again a while after the last change
    return await this.page.evaluate(() => window.__MONACO.editor.getModelMarkers({}).map((marker) => marker.message));
  }

  async showPlugin(name) {
    await this.page.getByRole("button", { name: `Show ${name}` }).click();
    await this.page.locator(".graphiql-plugin").getByText(/\w/).first().waitFor();
  }

  async prettify() {
    await this.page.getByRole("button", { name: "Prettify query" }).click();
  }

  async chooseTheme(name) {
    await this.page.getByRole("button", { name: "Open settings dialog" }).click();
    await this.page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
    await this.page.keyboard.press("Escape");
  }

  async fetchSchemaAgain() {
    const fetched = this.page.waitForResponse((response) => isIntrospection(response.request()));
    await this.page.getByRole("button", { name: "Re-fetch GraphQL schema" }).click();
    if (!(await fetched).ok()) throw new Error("the schema could not be fetched");
  }

  async background() {
    return await this.page.locator(".graphiql-container").last().evaluate((node) => getComputedStyle(node).backgroundColor);
  }

  async width(part) {
    return (await this.page.locator(`.graphiql-${part}`).boundingBox()).width;
  }

  /** Everything that the page has left in the browser. */
  async stored() {
    return await this.page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  }

  /** The schema is there and the editor is drawn: from here on a visitor can work. */
  async #ready() {
    await this.page.locator(".graphiql-query-editor .view-line").first().waitFor();
    await this.page.locator(".graphiql-spin").waitFor({ state: "detached" });
  }

  #note(request) {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:") this.hosts.add(host);
    if (isIntrospection(request)) this.introspections.push(request.headers());
  }
}

const isIntrospection = (request) => request.postData()?.includes("IntrospectionQuery") ?? false;
