/**
 * Drives the page at GRAPHIQL_URL in a real Chromium; the server may still be starting.
 *
 * Steps build on one another, like a first visit: the tabs as they are, one click each; then a registration.
 * Screenshots land in `artefacts/` at the top of the repository.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { GraphiQLPage, execute, newDigits, openBrowser, serverAnswers } from "./graphiql-page.js";

const url = process.env.GRAPHIQL_URL ?? "http://127.0.0.1:8000/graphiql";
const endpoint = new URL("/graphql", url).href;
const artefacts = new URL("../../artefacts/", import.meta.url).pathname;
const username = `ada_${newDigits().slice(-6)}`;

let browser, graphiql, bearerToken;

before(async () => {
  mkdirSync(artefacts, { recursive: true });
  await serverAnswers(url);
  browser = await openBrowser();
  graphiql = await GraphiQLPage.open(browser, url);
});

after(async () => await browser?.close());

test("the start page and the endpoint's address lead to GraphiQL", async () => {
  const page = await browser.newPage();
  const problems = [];
  page.on("console", (message) => problems.push(message.text()));
  await page.goto(new URL("/", url).href);
  await page.screenshot({ path: `${artefacts}start.png` });
  assert.deepEqual(problems, []);
  await page.getByRole("link", { name: "GraphiQL" }).click();
  assert.equal(page.url(), url);
  await page.goto(endpoint);
  assert.equal(page.url(), url);
  await page.close();
});

test("the page shows in the light and the dark of the system", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await graphiql.page.emulateMedia({ colorScheme });
    await graphiql.reload();
    await screenshot(`graphiql-${colorScheme}`);
    const [red] = (await graphiql.background()).match(/\d+/g).map(Number);
    assert.equal(red < 128, colorScheme === "dark");
  }
});

test("the theme can be switched, and is all that the browser keeps", async () => {
  await graphiql.chooseTheme("Light");
  assert.match(await graphiql.background(), /255, 255, 255/);
  assert.deepEqual(await graphiql.stored(), { "graphiql:theme": "light" });
});

test("the first tab connects with the first click, and reconnects with the second", async () => {
  assert.equal(await graphiql.caller(), "Cleo Creator (creator)");
  for (const outcome of ["CONNECTED", "RECONNECTED"]) {
    const { connectSocialAccounts } = (await graphiql.run()).data;
    assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsSuccess");
    assert.deepEqual(connectSocialAccounts.connected.map((one) => one.outcome), [outcome, outcome, outcome]);
    await screenshot(`graphiql-${outcome.toLowerCase()}`);
  }
});

test("the admin's refusal is one click away", async () => {
  await graphiql.openTab("AdminRefused");
  assert.equal(await graphiql.caller(), "Nora North (admin)");
  const refusal = refusalOf(await graphiql.run());
  assert.match(refusal.message, /you must first remove it from your Workspace accounts$/);
  assert.deepEqual(refusal.resolutions, ["MOVE", "DISCONNECT"]);
  assert.equal(refusal.workspace.name, "Studio North");
  await graphiql.page.setViewportSize({ width: 1280, height: 800 }); // small enough to be read in the README
  await graphiql.underlined(); // waits for the editors
  await screenshot("graphiql-refused");
  await graphiql.page.setViewportSize({ width: 1400, height: 850 });
});

test("the creator's refusal is one click away", async () => {
  await graphiql.openTab("CreatorRefused");
  assert.equal(await graphiql.caller(), "Cleo Creator (creator)");
  const refusal = refusalOf(await graphiql.run());
  assert.match(refusal.message, /Please ask nora@example.com for access$/);
  assert.equal(refusal.contactEmail, "nora@example.com");
});

test("the wrong-input tab gets every mistake with its path", async () => {
  await graphiql.openTab("WrongInput");
  const { connectSocialAccounts } = (await graphiql.run()).data;
  assert.ok(connectSocialAccounts.errors.length > 1);
  for (const error of connectSocialAccounts.errors) assert.equal(error.__typename, "InvalidInput");
});

test("the check tab says what connecting would do", async () => {
  await graphiql.openTab("Check");
  const { checkSocialAccounts } = (await graphiql.run()).data;
  assert.deepEqual(checkSocialAccounts.errors, []);
  assert.deepEqual(checkSocialAccounts.checks.map((check) => check.status), ["RECONNECT", "CONFLICT", "RECONNECT"]);
  await screenshot("graphiql-check");
});

test("the list tab shows what was connected, and somebody else can be chosen for an open tab", async () => {
  await graphiql.openTab("List");
  assert.deepEqual((await listed()).sort(), ["Cleo Films", "cleo.films", "cleo.paints", "cleo_sketches"]);
  await graphiql.callerField().selectOption({ label: "Nora North (admin)" });
  assert.deepEqual(await listed(), ["nora_on_the_road"]);
});

test("the editors find no mistake in any tab", async () => {
  for (const tab of ["Connect", "AdminRefused", "CreatorRefused", "WrongInput", "Check", "List", "LiveEvents", "Register"]) {
    await graphiql.openTab(tab);
    assert.deepEqual(await graphiql.underlined(), [], tab);
  }
});

test("registering shows a bearer token, and one click puts it to use for all tabs", async () => {
  await graphiql.openTab("Register");
  await graphiql.setVariables({
    input: { email: `${username}@example.com`, password: "correct horse battery staple", name: "Ada" },
  });
  const { registerUser } = (await graphiql.run()).data;
  assert.equal(registerUser.__typename, "RegisterUserSuccess");
  bearerToken = registerUser.bearerToken;
  await screenshot("graphiql-register");
  await graphiql.page.getByRole("button", { name: "Use the bearer token just shown" }).click();
  assert.equal(await graphiql.bearerTokenField().inputValue(), bearerToken);
  await graphiql.openTab("List");
  assert.equal(await graphiql.caller(), "another bearer token");
  assert.deepEqual(await listed(), []);
});

test("a live event arrives", async () => {
  await graphiql.openTab("LiveEvents");
  await graphiql.start();
  // The subscription says nothing when it has begun, so connect new accounts until it tells of one.
  const connecting = setInterval(() => connect(connectVariables(newDigits())), 500);
  const event = await graphiql.answer().finally(() => clearInterval(connecting));
  assert.ok(event.data.events.cursor);
  await screenshot("graphiql-live-event");
  await graphiql.stop();
});

test("documentation, history, explorer and prettifying work", async () => {
  await graphiql.openTab("Connect");
  for (const plugin of ["Documentation Explorer", "History", "GraphiQL Explorer"]) await graphiql.showPlugin(plugin);
  await graphiql.prettify();
  await screenshot("graphiql-explorer");
});

test("a narrow window still shows the operation and its answer", async () => {
  await graphiql.page.setViewportSize({ width: 390, height: 844 });
  await screenshot("graphiql-narrow");
  const [operation, answer] = await Promise.all([graphiql.width("query-editor"), graphiql.width("response")]);
  assert.ok(operation > 250 && answer > 250, `operation ${operation} px, answer ${answer} px wide`);
  await graphiql.page.setViewportSize({ width: 1400, height: 850 });
});

test("no step asked another host, broke the Content-Security-Policy or logged an error", async () => {
  assert.deepEqual(graphiql.problems, []);
  assert.deepEqual(graphiql.hosts, new Set([new URL(url).host]));
});

test("the demo's bearer tokens are for the page alone", async () => {
  assert.deepEqual(await (await fetch(`${url}/people`)).json(), []);
});

test("the schema was fetched without a bearer token, which no storage and no address holds", async () => {
  await graphiql.fetchSchemaAgain();
  assert.ok(graphiql.introspections.length > 1);
  for (const headers of graphiql.introspections) assert.equal(headers.authorization, undefined);
  assert.deepEqual(await graphiql.stored(), { "graphiql:theme": "light" });
  assert.equal(graphiql.page.url(), url);
  await graphiql.reload();
  assert.equal(await graphiql.caller(), "Cleo Creator (creator)");
  await graphiql.callerField().selectOption({ label: "another bearer token" });
  assert.equal(await graphiql.bearerTokenField().inputValue(), "");
});

test("a bad bearer token is answered readably, and does not blind the page", async () => {
  await graphiql.bearerTokenField().fill("not-a-bearer-token");
  await graphiql.openTab("List");
  const { errors } = await graphiql.run();
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
  await screenshot("graphiql-unauthenticated");
  await graphiql.fetchSchemaAgain();
  assert.equal(graphiql.problems.length, 1);
  assert.match(graphiql.problems[0], /status of 401/);
});

function connectVariables(instagramUserId) {
  const accessToken = `TEST-any:fb=10220000000000001;ig=${instagramUserId}`;
  return {
    input: {
      facebookAccount: { facebookUserId: "10220000000000001", accessToken },
      instagramAccounts: [
        { instagramUserId, username, profilePictureUrl: "", accessToken },
      ],
      onConflict: "REJECT_ALL",
    },
  };
}

async function connect(variables) {
  const query = `mutation Connect($input: ConnectSocialAccountsInput!) {
    connectSocialAccounts(input: $input) { __typename }
  }`;
  const { connectSocialAccounts } = await execute(endpoint, { query, variables, bearerToken });
  assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsSuccess");
}

function refusalOf(answer) {
  const { connectSocialAccounts } = answer.data;
  assert.equal(connectSocialAccounts.__typename, "ConnectSocialAccountsFailure");
  const [refusal] = connectSocialAccounts.errors;
  assert.equal(refusal.__typename, "HeldByWorkspace");
  assert.deepEqual(refusal.path, ["input", "instagramAccounts", "0", "instagramUserId"]);
  return refusal;
}

async function listed() {
  const { viewer } = (await graphiql.run()).data;
  return viewer.socialAccounts.edges.map((edge) => edge.node.displayName);
}

const screenshot = (name) => graphiql.page.screenshot({ path: `${artefacts}${name}.png` });
