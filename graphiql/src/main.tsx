import "./style-nonce"; // first: it must run before anything that makes a <style> element
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { createRoot } from "react-dom/client";
import { Page } from "./page";
import { fetchPeople } from "./people";

const root = document.getElementById("root")!;
const people = await fetchPeople(root.dataset.people!);
createRoot(root).render(<Page endpoint={root.dataset.endpoint!} people={people} />);
