/** A fleet as an HTML page that needs nothing but itself: the picture, and tables with the same facts. Pure. */
import type { Picture, PictureAgent, PictureHost } from "./facts";
import { FONT } from "./lines";
import { element, escaped } from "./markup";
import { styleSheet, type Theme } from "./palette";
import { fleetSvg } from "./svg";

/** No request leaves the page, whatever were to get into it, and nothing runs in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export function fleetPage(picture: Picture): string {
  const title = `stack ${picture.stack}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
${element("style", {}, LAYOUT, styleSheet(rules))}
</head>
<body>
<main>
${element("h1", {}, escaped(title))}
<figure>
${fleetSvg(picture)}
<figcaption>Agents and tunnels are as their hosts have answered; ranges and firewalls as deployed, ./fleet diff compares them with the hosts.</figcaption>
</figure>
${agentTable(picture)}
${hostTable(picture)}
</main>
</body>
</html>
`;
}

function agentTable({ hosts }: Picture): string {
  const rows = hosts.flatMap(({ name, agents }) =>
    agents.map((agent) => [agent.name, name, ...cellsOf(agent)]),
  );
  return table(
    "Agents",
    ["agent", "host", "state", "jobs", "port", "release", "since", "URL", "what does not work"],
    rows,
  );
}

function cellsOf({ state, jobs, port, release, since, url, note }: PictureAgent): string[] {
  const plain = [state, jobs, port, release.slice(0, 12), since, url, note];
  return plain.map((value) => String(value ?? ""));
}

function hostTable({ hosts }: Picture): string {
  return table(
    "Hosts",
    ["host", "provider", "SSH", "agents' ports are reached by", "firewall", "no report, because"],
    hosts.map((host) => [
      ...[host.name, host.provider, host.ssh, [host.way.from, ...host.way.details].join(", ")],
      ...[firewallOf(host), host.reason ?? ""],
    ]),
  );
}

function firewallOf({ firewall }: PictureHost): string {
  if (firewall === null) return "not known";
  return firewall ? "on" : "none of this stack";
}

function table(
  caption: string,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const head = heading.map((title) => element("th", { scope: "col" }, escaped(title)));
  const body = rows.map(([first = "", ...others]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, escaped(first)),
      ...others.map((cell) => element("td", {}, escaped(cell))),
    ),
  );
  return element(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body.map((row) => `\n${row}`)),
    ),
  );
}

const LAYOUT = `
body{margin:0;font:14px/1.5 ${FONT}}
main{max-width:1032px;margin:0 auto;padding:0 24px 24px}
/* The picture begins with it. */
h1{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}
figure{margin:0 -24px 32px}
figcaption{margin:0 24px}
figure svg{display:block;max-width:100%;height:auto}
.wide{overflow-x:auto;margin:24px 0}
table{width:100%;border-collapse:collapse;font-size:13px}
caption{text-align:left;font-weight:bold;font-size:16px;padding:4px 0}
th,td{text-align:left;vertical-align:top;padding:4px 16px 4px 0;border-bottom:1px solid}
th{white-space:nowrap}
`;

function rules({ page, text, muted, edge }: Theme): string {
  return `body{background:${page};color:${text}}\nfigcaption{color:${muted}}\nth,td{border-color:${edge}}`;
}
