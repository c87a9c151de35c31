/** Style sheet of the HTML report. Colours have a contrast of at least 4.5 : 1 on both backgrounds. */
export const htmlStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --panel: #f6f8fa;
  --red: #b3261e; --orange: #9a4a00; --yellow: #7a5b00; --green: #1a6b35; --purple: #7a2ea0; --blue: #0a5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --text: #e4e9ee; --quiet: #9aa6b2; --line: #313a44; --panel: #171d24;
    --red: #ff8a80; --orange: #ffb077; --yellow: #ecc94b; --green: #6fd08c; --purple: #d7a6f0; --blue: #7db7f5;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p, ul, dl { margin: .5rem 0; }
ul { padding-left: 1.25rem; }
code, pre { font: .875em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .75rem; overflow-x: auto; white-space: pre; overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
header, article { border: 1px solid var(--line); border-left-width: .4rem; border-radius: .4rem; padding: 1rem; margin: 0 0 1rem; background: var(--panel); }
header.pass, header.comment { border-left-color: var(--green); }
header.approval { border-left-color: var(--yellow); }
header.block { border-left-color: var(--red); }
header.incomplete { border-left-color: var(--purple); }
.verdict { text-transform: uppercase; }
.pass .verdict, .comment .verdict { color: var(--green); }
.approval .verdict { color: var(--yellow); }
.block .verdict { color: var(--red); }
.incomplete .verdict, .incomplete:not(header) { color: var(--purple); }
.reason { font-size: 1.1rem; }
article.critical { border-left-color: var(--red); }
article.high { border-left-color: var(--orange); }
article.medium { border-left-color: var(--yellow); }
article.low { border-left-color: var(--blue); }
.severity { text-transform: uppercase; font-size: .85em; }
.critical .severity { color: var(--red); }
.high .severity { color: var(--orange); }
.medium .severity { color: var(--yellow); }
.low .severity { color: var(--blue); }
.where, .marks, footer { color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
.fix { color: var(--green); }
details { margin: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.plus { color: var(--green); }
.minus { color: var(--red); }
.range { color: var(--blue); }
footer { margin-top: 2rem; }
`;
