/** How our pages look, in light and in dark. */
export const style = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #18202c; --soft: #596579; --line: #e1e5ec;
  --right: #0d7a57; --wrong: #c8401f; --accent: #1f5fc4; --shade: #eef1f6 }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1319; --card: #171c25; --ink: #e8ebf1; --soft: #9ea9bb; --line: #2a3240;
  --right: #44cf9b; --wrong: #ff8a66; --accent: #7fb0ff; --shade: #202733 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 3rem 1.25rem 4rem }
h1 { font-size: clamp(1.7rem, 4vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 .6rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; letter-spacing: -.01em; margin: 0 }
h3 { font-size: .95rem; margin: 0 }
p { max-width: 46rem; margin: .25rem 0 0 } .lead { font-size: 1.08rem; color: var(--soft) } .note { color: var(--soft); font-size: .9rem }
.eyebrow { font-size: .78rem; font-weight: 600; letter-spacing: .09em; text-transform: uppercase; color: var(--accent); margin: 0 0 .5rem }
.notice { border-left: 3px solid var(--wrong); padding: .1rem 0 .1rem .9rem; margin-top: 1rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.4rem 1.5rem; margin-top: 1.25rem; min-width: 0 }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1.25rem; margin-top: 1.25rem } .two section { margin: 0 }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 1px; padding: 0; overflow: hidden; margin-top: 1.75rem }
.figures div { padding: 1.1rem 1.3rem; box-shadow: 0 0 0 1px var(--line) } .figures b { display: block; font-size: 1.9rem; line-height: 1.25; letter-spacing: -.02em; font-variant-numeric: tabular-nums }
.figures span { color: var(--soft); font-size: .85rem; display: block }
.chart { height: 300px; margin-top: .75rem } #map { height: min(640px, 110vw) }
figure { margin: 0; min-width: 0 } img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 7px; background: var(--shade) } .small { image-rendering: pixelated }
.row { display: grid; grid-template-columns: 13.5rem 1fr; gap: 1.25rem; align-items: center; padding: 1rem 0; border-top: 1px solid var(--line) } .rows { margin-top: 1rem }
.query { display: grid; grid-template-columns: 68px 1fr; gap: .8rem; align-items: center } .query b { display: block; overflow-wrap: anywhere; line-height: 1.25 } .query span { color: var(--soft); font-size: .78rem; line-height: 1.3; display: block }
.matches { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: .55rem }
.match img { outline: 3px solid var(--tone); outline-offset: -3px } .match figcaption { font-size: .72rem; line-height: 1.3; margin-top: .25rem; font-variant-numeric: tabular-nums; text-align: center }
.match figcaption span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .match i { font-style: normal; font-weight: 700; color: var(--tone) }
.right { --tone: var(--right) } .wrong { --tone: var(--wrong) } .plain { --tone: transparent }
.tag { font-weight: 600; color: var(--tone) }
.classes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr)); gap: .35rem 2rem; margin-top: 1rem }
.class { display: grid; grid-template-columns: 30px 1fr 3.4rem; gap: .6rem; align-items: center; font-size: .88rem } .class img { border-radius: 4px }
.class b { font-weight: 500; display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .class em { font-style: normal; text-align: right; font-variant-numeric: tabular-nums }
.bar { height: 5px; border-radius: 3px; background: var(--shade); overflow: hidden } .bar i { display: block; height: 100%; background: var(--accent) }
pre { background: var(--shade); border-radius: 9px; padding: .8rem 1rem; overflow-x: auto; font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; margin: .6rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: .75rem 0 0; font-size: .88rem } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.tip { max-width: 220px; white-space: normal; overflow-wrap: anywhere; font-size: 13px } .tip img { width: 112px; margin-bottom: 6px } .tip b, .tip span { display: block } .tip span { opacity: .75 }
@media (max-width: 720px) { main { padding: 1.75rem .8rem 3rem } section { padding: 1.1rem 1rem } .row { grid-template-columns: 1fr; gap: .8rem } .matches { grid-template-columns: repeat(4, minmax(0, 1fr)) } .chart { height: 260px } }
@media print { section { break-inside: avoid } }
`
