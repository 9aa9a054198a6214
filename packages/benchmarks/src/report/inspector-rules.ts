/** Style of the prompt inspector: the list at the left, the chosen example at its right, below each other on a narrow screen. */
export const inspectorRules = `
.inspector{position:relative;display:grid;grid-template-columns:minmax(12rem,17rem) minmax(0,1fr);gap:1rem;margin:1rem 0;padding:0;border:0}
.choices{align-self:start;display:flex;flex-direction:column;gap:.3rem;max-height:36rem;padding:.3rem;overflow-y:auto;background:var(--panel);border-radius:.5rem}
.choices label{display:flex;gap:.6rem;padding:.4rem .6rem;border:2px solid transparent;border-radius:.4rem;cursor:pointer;line-height:1.3}
.choices label:hover{border-color:var(--rule)}
.choice-name,.choice-run{display:block;overflow-wrap:anywhere}
.choice-run{color:var(--quiet);font-size:.8rem}
.mark{font-weight:700}
.right-answer{color:var(--right)}
.wrong-answer{color:var(--wrong)}
.panels{grid-column:2}
.panel{display:none;padding:.25rem 0}
.panel h3{margin:0;overflow-wrap:anywhere}
blockquote{margin:.75rem 0;padding:.5rem 1rem;border-left:4px solid var(--rule);overflow-wrap:anywhere;white-space:pre-wrap}
.tokens{display:flex;flex-wrap:wrap;gap:.3rem;margin:.25rem 0;padding:0;list-style:none}
.token{display:inline-block;padding:.05rem .45rem;border:1px solid var(--rule);border-radius:.35rem;background:var(--panel);font:.85rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.token.prompt{border-color:var(--accent);background:var(--accent-page);color:var(--accent);font-weight:700}
.token.patches{border-style:dashed}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:0 1.5rem}
.facts p{margin:0}
.slots{display:flex;flex-wrap:wrap;gap:3px;margin-top:.4rem}
.slots i{width:.75rem;height:1rem;border:1px solid var(--quiet);border-radius:3px}
.slots .on{border-color:var(--accent);background:var(--accent)}
.bars th,.bars td{padding:.15rem .5rem .15rem 0;border:0;white-space:normal}
.bars th{max-width:9rem;overflow-wrap:anywhere}
.bars .track{width:45%}
.track span{display:block;height:.8rem;min-width:2px;background:var(--series-2);border-radius:3px}
svg.patch-grid{max-width:26rem}
.patch-edge{stroke:var(--page);stroke-width:1;stroke-opacity:.65}
.prompt-halo{stroke-width:12;stroke-linecap:round}
.prompt-edge{stroke:var(--accent);stroke-width:8;stroke-linecap:round}
.prompt-badge{fill:var(--accent-page);stroke:var(--accent);stroke-width:1}
svg .prompt-name{fill:var(--accent);font-weight:700}
@media (max-width:44rem){.inspector{grid-template-columns:minmax(0,1fr)}.panels{grid-column:1}.choices{max-height:14rem}}`;
