import "./style-nonce"; // first: it must run before anything that makes a <style> element
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { createRoot } from "react-dom/client";
import { Page } from "./page";

const root = document.getElementById("root")!;
createRoot(root).render(<Page endpoint={root.dataset.endpoint!} />);
