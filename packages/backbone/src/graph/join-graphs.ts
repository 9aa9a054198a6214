import { ModelError } from '@dynaprompt/core';
import type { Graph } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';

const PREFIX = 'second/';

/** Whether a tensor is one that the second of two joined graphs brought along. */
export function isOfSecond(tensor: string): boolean {
  return tensor.startsWith(PREFIX);
}

/** Name of a tensor of the second of two joined graphs in what they are joined to; inputs keep theirs. */
export function nameOfSecond(tensor: string): string {
  return `${PREFIX}${tensor}`;
}

/**
 * Puts a graph behind another one, which is changed: it gets the nodes, weights and outputs of the second in place of its own
 * outputs. Weights stay in their files.
 * @param inputs what the second's inputs become: tensors of the first, or new names. Others keep their names, and are the same
 * input where the first has one of that name.
 * @throws ModelError if operator sets differ, or the second has control flow.
 */
export function joinGraphs(first: Graph, second: Graph, inputs: Readonly<Record<string, string>>): void {
  checkJoinable(first, second);
  const isInput = (name: string): boolean => second.inputs.has(name);
  const rename = (name: string): string =>
    name === '' ? '' : isInput(name) ? (inputs[name] ?? name) : nameOfSecond(name);
  for (const info of second.inputs.values()) {
    const name = rename(info.name);
    if (!first.has(name)) first.inputs.set(name, { ...info, name });
  }
  for (const tensor of second.initializers.values()) {
    const name = rename(tensor.name);
    first.initializers.set(name, { ...tensor, name });
  }
  for (const { opType, domain, attributes, inputs: reads, outputs } of second.sortedNodes())
    first.add({ opType, domain, attributes, inputs: reads.map(rename), outputs: outputs.map(rename) });
  first.outputs.clear();
  for (const info of second.outputs.values()) {
    const name = rename(info.name);
    first.outputs.set(name, { ...info, name });
  }
}

function checkJoinable(first: Graph, second: Graph): void {
  const fail = (problem: string): never => {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: second.source,
      problem,
      remedy: `Export it anew together with ${first.source}`,
    });
  };
  for (const [domain, version] of second.opsets) {
    const other = first.opsets.get(domain);
    if (other === undefined) first.opsets.set(domain, version);
    else if (other !== version)
      fail(`it is in operator set ${version} of ${domain || 'ai.onnx'}, its other file in ${other}`);
  }
  for (const { name, attributes } of second.nodes)
    for (const { kind } of attributes.values())
      if (kind === 'graph' || kind === 'graphs') fail(`node ${name} has branches that depend on data`);
}
